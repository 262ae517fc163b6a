import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';

/*
 * A backup file, version 1:
 *
 *   CONCORD-BACKUP 1\n
 *   {"madeAt": …, "migrations": […], "tables": [{"name", "columns", "rows"}, …], "sequences": […]}\n
 *   gzip of, for each table in that order: its rows as PostgreSQL's COPY text, in pieces <length, 4 bytes, big-endian> <bytes>,
 *     ended by a piece of length 0
 *   SHA-256 of everything before it, 32 bytes
 *
 * The first two lines can be read with `head -2`. COPY text is the same in every version of PostgreSQL.
 */

export const magic = 'CONCORD-BACKUP';
export const formatVersion = 1;
export const digestBytes = 32;
/** More than any header has; a foreign file may have no second line for long. */
const maxHeaderBytes = 1024 * 1024;

export interface BackedUpTable {
  readonly name: string;
  readonly columns: readonly string[];
  readonly rows: number;
}

export interface BackedUpSequence {
  readonly name: string;
  readonly lastValue: string;
  readonly isCalled: boolean;
}

export interface BackupHeader {
  readonly madeAt: string;
  /** Names of the migrations that the database had: the tables are in this form. */
  readonly migrations: readonly string[];
  readonly tables: readonly BackedUpTable[];
  readonly sequences: readonly BackedUpSequence[];
}

export interface OpenBackup {
  readonly header: BackupHeader;
  /** Bytes of the file. */
  readonly bytes: number;
  /** Opens the rows of all tables. */
  rows(): BackupRows;
}

export interface BackupRows {
  /** Of the next table in the order of the header; to be read to its end before the next is asked for. */
  next(): AsyncGenerator<Buffer>;
  close(): void;
}

/** The file is no whole backup of ours; the message says what to do. */
export class BackupFileError extends Error {}

/**
 * Opens a backup and reads all of it once, so that a part of it or a damaged one is found before anything is restored.
 * @throws BackupFileError; the system's error when the file cannot be read.
 */
export async function openBackup(file: string): Promise<OpenBackup> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    const { header, end } = await readHeader(handle, file);
    await checkDigest(handle, file, size);
    return { header, bytes: size, rows: () => rowsOf(file, end, size - digestBytes) };
  } finally {
    await handle.close();
  }
}

async function readHeader(handle: FileHandle, file: string): Promise<{ readonly header: BackupHeader; readonly end: number }> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(maxHeaderBytes), 0, maxHeaderBytes, 0);
  const start = buffer.subarray(0, bytesRead);
  const firstEnd = start.indexOf('\n');
  const [name, version] = start.subarray(0, Math.max(0, firstEnd)).toString('latin1').split(' ');
  if (firstEnd > 40 || name !== magic) throw new BackupFileError(`${file} is not a backup of Concord. Give a file that "npm run backup" has made.`);
  if (version !== String(formatVersion)) {
    throw new BackupFileError(`${file} has the format ${version ?? 'unknown'}; this version of Concord reads ${formatVersion}. Restore it with the version that made it, or a newer one.`);
  }
  const end = start.indexOf('\n', firstEnd + 1);
  if (end < 0) throw damaged(file);
  try {
    return { header: JSON.parse(start.subarray(firstEnd + 1, end).toString()) as BackupHeader, end: end + 1 };
  } catch {
    throw damaged(file);
  }
}

async function checkDigest(handle: FileHandle, file: string, size: number): Promise<void> {
  const hash = createHash('sha256');
  const piece = Buffer.alloc(1024 * 1024);
  const end = size - digestBytes;
  for (let at = 0; at < end; ) {
    const { bytesRead } = await handle.read(piece, 0, Math.min(piece.length, end - at), at);
    if (bytesRead === 0) throw damaged(file);
    hash.update(piece.subarray(0, bytesRead));
    at += bytesRead;
  }
  const { buffer } = await handle.read(Buffer.alloc(digestBytes), 0, digestBytes, Math.max(0, end));
  if (!hash.digest().equals(buffer)) throw damaged(file);
}

const damaged = (file: string): BackupFileError =>
  new BackupFileError(`${file} is damaged or only a part: its checksum is not that of its content. Copy it again from where it was made, or take another backup. Nothing was restored.`);

function rowsOf(file: string, from: number, to: number): BackupRows {
  const packed = createReadStream(file, { start: from, end: to - 1 });
  const unpacked = createGunzip();
  packed.once('error', (error) => unpacked.destroy(error));
  packed.pipe(unpacked);
  const pieces = piecesOf(unpacked);
  return {
    next: () => oneTable(pieces, file),
    close() {
      packed.destroy();
      unpacked.destroy();
    },
  };
}

async function* oneTable(pieces: AsyncGenerator<Buffer | null, void>, file: string): AsyncGenerator<Buffer> {
  for (;;) {
    const piece = await pieces.next();
    if (piece.done === true) throw damaged(file);
    if (piece.value === null) return;
    yield piece.value;
  }
}

/** Null: the end of a table. A piece may come in parts. */
async function* piecesOf(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer | null, void> {
  let head = Buffer.alloc(0);
  let left = 0;
  for await (const chunk of stream) {
    let rest = chunk;
    while (rest.length > 0) {
      if (left > 0) {
        const part = rest.subarray(0, left);
        left -= part.length;
        rest = rest.subarray(part.length);
        yield part;
        continue;
      }
      const wanted = lengthBytes - head.length;
      head = Buffer.concat([head, rest.subarray(0, wanted)]);
      rest = rest.subarray(wanted);
      if (head.length < lengthBytes) continue;
      left = head.readUInt32BE();
      head = Buffer.alloc(0);
      if (left === 0) yield null;
    }
  }
}

export const lengthBytes = 4;

/** A piece as it stands in the file; an empty one ends a table. */
export function framed(bytes: Buffer): Buffer {
  const length = Buffer.alloc(lengthBytes);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
