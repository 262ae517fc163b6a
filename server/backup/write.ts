import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { link, open, rm } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { formatVersion, framed, magic, type BackedUpTable, type BackupHeader } from './format.js';
import { copyTarget, countRows, readMigrationNames, readSequences, readTables } from './tables.js';

export interface WrittenBackup {
  readonly header: BackupHeader;
  readonly bytes: number;
}

/** Quick, and most of what can be gained; a backup should not take longer than the disk. */
const compressionLevel = 4;

/**
 * Writes all tables into a new file, as they are at one moment, while servers go on. The file appears under its name when it is whole.
 * @throws Error when there is a file of that name, or the database or the disk fails; nothing is left behind then.
 */
export async function writeBackup(options: { readonly connectionString: string; readonly file: string; readonly now: () => Date }): Promise<WrittenBackup> {
  const { file } = options;
  const partial = `${file}.part-${process.pid}`;
  const client = new pg.Client({ connectionString: options.connectionString, application_name: 'concord-backup', keepAlive: true });
  client.on('error', () => undefined);
  await client.connect();
  try {
    // One snapshot for all statements. Works on a standby too.
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    await client.query('SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0');
    const header = await readHeader(client, options.now());
    const bytes = await writeFile(client, header, partial);
    await client.query('COMMIT');
    // Unlike a rename this never takes the place of another file.
    await link(partial, file).catch((error: unknown) => {
      throw isThere(error) ? new Error(`There is a file ${file} already. Give another name, or move it away.`) : error;
    });
    return { header, bytes };
  } finally {
    await rm(partial, { force: true });
    await client.end().catch(() => undefined);
  }
}

const isThere = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'EEXIST';

async function readHeader(client: pg.Client, now: Date): Promise<BackupHeader> {
  const tables: BackedUpTable[] = [];
  for (const table of await readTables(client)) tables.push({ ...table, rows: await countRows(client, table.name) });
  return { madeAt: now.toISOString(), migrations: await readMigrationNames(client), tables, sequences: await readSequences(client) };
}

async function writeFile(client: pg.Client, header: BackupHeader, file: string): Promise<number> {
  const hash = createHash('sha256');
  let bytes = 0;
  const handle = await open(file, 'wx', 0o600);
  try {
    const write = async (chunk: Buffer): Promise<void> => {
      hash.update(chunk);
      bytes += chunk.length;
      await handle.writeFile(chunk);
    };
    await write(Buffer.from(`${magic} ${formatVersion}\n${JSON.stringify(header)}\n`));
    const gzip = createGzip({ level: compressionLevel });
    const written = pipeline(gzip, async (packed: AsyncIterable<Buffer>) => {
      for await (const chunk of packed) await write(chunk);
    });
    let failed: unknown;
    // At once: a disk that is full while rows are waited for must not end the process before the clean-up.
    written.catch((error: unknown) => (failed = error));
    try {
      for (const table of header.tables) await copyTable(client, table, gzip);
      gzip.end();
    } catch (error) {
      gzip.destroy(error as Error);
      await written.catch(() => undefined);
      throw failed ?? error;
    }
    await written;
    await handle.writeFile(hash.digest());
    await handle.sync();
  } finally {
    await handle.close();
  }
  return bytes;
}

async function copyTable(client: pg.Client, table: BackedUpTable, into: Writable): Promise<void> {
  const rows = client.query(copyTo(`COPY ${copyTarget(client, table)} TO STDOUT`));
  for await (const chunk of rows as AsyncIterable<Buffer>) {
    if (into.destroyed) throw new Error('The file could not be written.');
    if (!into.write(framed(chunk))) await Promise.race([once(into, 'drain'), once(into, 'close')]);
  }
  into.write(framed(Buffer.alloc(0)));
}
