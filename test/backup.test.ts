import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openReplica, type Replica } from '@concord/client';
import { dropDatabase, newDatabase, type GraphQLAnswer } from '../server/test/harness.js';
import { ended } from './server-process.js';

const root = fileURLToPath(new URL('../', import.meta.url));
const page = readFileSync(path.join(root, 'docs/OPERATIONS.md'), 'utf8');
const section = /^## Backup\n([\s\S]*?)(?=^## |$(?![\s\S]))/m.exec(page)?.[1] ?? '';
const blocks = (language: string): readonly string[] => [...section.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, 'g'))].flatMap(([, text = '']) => text.trim().split('\n'));
const [backup = '', restoreToFolder = '', startRestored = '', restoreToDatabase = ''] = blocks('sh');
const [createDatabase = '', raiseEpoch = ''] = blocks('sql');

interface Started {
  readonly url: string;
  readonly token: string | undefined;
  readonly child: ChildProcess;
}

describe('What docs/OPERATIONS.md says of backups', { timeout: 120_000 }, () => {
  let folder: string;
  let server: Started | undefined;
  let token: string;
  const replicas: Replica[] = [];
  /** The commands run as they are written, in an installation with a data folder of its own. */
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'concord-backup-'));
    for (const name of ['package.json', 'node_modules', 'core', 'schema', 'server', 'client', 'prisma']) symlinkSync(path.join(root, name), path.join(folder, name));
    server = await start('npm start');
    token = server.token ?? '';
    await edit('created before the backup', 'mutation { createDocument(id: "a", collection: "notes", title: "A \\t \\\\. é 😀", value: { n: 1, text: "tab\\tnew\\nline\\\\" }) { __typename } }');
  });
  afterAll(async () => {
    for (const replica of replicas) await replica.close();
    if (server !== undefined) await ended(server.child);
    rmSync(folder, { recursive: true, force: true });
  });

  const environment = (more: Readonly<Record<string, string>> = {}) => ({ PATH: process.env['PATH'], HOME: process.env['HOME'], HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'fatal', ...more });

  function sh(command: string): Promise<{ readonly status: number; readonly out: string; readonly err: string }> {
    return new Promise((resolve) => {
      const child = execFile('sh', ['-c', command], { cwd: folder, env: environment(), timeout: 60_000 }, (_error, out, err) => resolve({ status: child.exitCode ?? -1, out, err }));
    });
  }
  async function start(command: string): Promise<Started> {
    // npm passes signals on; a shell in between would not.
    const child = spawn('sh', ['-c', `exec ${command.replace(/^(\w+=\S+) /, 'env $1 ')}`.replace('npm start', 'node server/dist/main.js')], { cwd: folder, env: environment(), stdio: ['ignore', 'pipe', 'inherit'] });
    let url = '';
    let found: string | undefined;
    for await (const line of createInterface({ input: child.stdout })) {
      url ||= /^(?:GraphiQL|API):\s+(\S+)/.exec(line)?.[1] ?? '';
      found ??= /^Token:\s+(\S+\.\S+)/.exec(line)?.[1];
      if (line.startsWith('Ctrl-C')) break;
    }
    child.stdout.resume();
    return { url, token: found, child };
  }
  async function ask(query: string, as = token): Promise<Partial<GraphQLAnswer>> {
    const response = await fetch(server!.url, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${as}` }, body: JSON.stringify({ query }) });
    return (await response.json()) as Partial<GraphQLAnswer>;
  }
  async function edit(what: string, query: string): Promise<void> {
    expect((await ask(query)).errors, what).toBeUndefined();
  }
  async function replicaOf(name: string): Promise<Replica> {
    const replica = await openReplica({ url: server!.url, token, database: path.join(folder, `${name}.db`), retry: { firstMs: 50, longestMs: 500 } });
    replicas.push(replica);
    return replica;
  }

  it('has the commands that are tried here', () => {
    expect([backup, restoreToFolder, startRestored, restoreToDatabase]).toEqual([
      expect.stringMatching(/^npm run backup -- \S+$/), expect.stringMatching(/^CONCORD_DATA=\S+ npm run restore -- \S+$/),
      expect.stringMatching(/^CONCORD_DATA=\S+ npm start$/), expect.stringMatching(/^DATABASE_URL=\S+ npm run restore -- \S+ --without-tokens$/),
    ]);
    expect([createDatabase, raiseEpoch]).toEqual([expect.stringMatching(/^CREATE DATABASE \w+;$/), expect.stringMatching(/^UPDATE workspaces/)]);
  });

  it('backs up a running server, and says what it has written', async () => {
    const replica = await replicaOf('before');
    replica.collection('notes').create({ n: 0 }, { id: 'b' });
    for (let n = 0; n < 20; n++) replica.collection('notes').increment('b', '/n');
    await replica.settled({ timeoutMs: 20_000 });
    const { status, out, err } = await sh(backup);
    expect({ status, err }).toEqual({ status: 0, err: '' });
    expect(out).toMatch(/concord\.backup: 2 documents and \d+ changes in 1 workspaces, as they were at .*\(\d+(\.\d+)? (bytes|KiB)\)/);
    expect(statSync(path.join(folder, 'concord.backup')).mode & 0o777).toBe(0o600);
    const [magic, header] = readFileSync(path.join(folder, 'concord.backup'), 'latin1').split('\n');
    expect(magic).toBe('CONCORD-BACKUP 1');
    expect((JSON.parse(header!) as { tables: { name: string; rows: number }[] }).tables.find(({ name }) => name === 'documents')?.rows).toBe(2);
    // Another of the same name is not written over.
    expect(await sh(backup)).toMatchObject({ status: 1, err: expect.stringMatching(/There is a file .*concord\.backup already\. Give another name/) as string });
  });

  it('refuses a file that is damaged, a part or foreign, and changes nothing', async () => {
    const file = path.join(folder, 'concord.backup');
    const bytes = readFileSync(file);
    copyFileSync(file, path.join(folder, 'part.backup'));
    truncateSync(path.join(folder, 'part.backup'), bytes.length - 100);
    const damaged = Buffer.from(bytes);
    damaged[Math.floor(bytes.length * 0.9)]! ^= 1;
    writeFileSync(path.join(folder, 'damaged.backup'), damaged);
    writeFileSync(path.join(folder, 'foreign.backup'), 'PGDMP, or whatever it is');
    writeFileSync(path.join(folder, 'newer.backup'), Buffer.concat([Buffer.from('CONCORD-BACKUP 2\n'), bytes.subarray(17)]));
    const refusals: readonly (readonly [string, RegExp])[] = [
      ['part.backup', /damaged or only a part.*Copy it again/],
      ['damaged.backup', /damaged or only a part/],
      ['foreign.backup', /is not a backup of Concord/],
      ['newer.backup', /has the format 2; this version of Concord reads 1/],
      ['missing.backup', /ENOENT/],
    ];
    const url = await newEmptyDatabase();
    for (const [name, message] of refusals) {
      expect(await sh(`DATABASE_URL=${url} npm run --silent restore -- ${name}`), name).toMatchObject({ status: 1, out: '', err: expect.stringMatching(message) as string });
    }
    expect(await query(url, `SELECT count(*)::int AS tables FROM pg_tables WHERE schemaname = 'public'`)).toEqual([{ tables: 0 }]);
    await dropDatabase(url);
  });

  it('refuses to restore into what is not empty, the database of a running server too', async () => {
    expect(await sh('npm run --silent restore -- concord.backup')).toMatchObject({ status: 1, err: expect.stringMatching(/not empty: its table \w+ has rows\. Restore into a new one/) as string });
    expect((await ask('{ document(id: "a") { revision } }')).data).toEqual({ document: { revision: 1 } });
  });

  it('restores into another folder: everything as it was, and replicas that had seen more resync and lose nothing unsent', async () => {
    const ahead = await replicaOf('ahead');
    await ahead.settled({ timeoutMs: 20_000 });
    ahead.collection('notes').create({ late: true }, { id: 'after-the-backup' });
    ahead.collection('notes').increment('b', '/n');
    await ahead.settled({ timeoutMs: 20_000 });
    const port = new URL(server!.url).port;
    expect(await ended(server!.child)).toBe(0);
    ahead.collection('notes').create({ unsent: true }, { id: 'unsent' });

    const { status, out, err } = await sh(restoreToFolder);
    expect({ status, err }).toEqual({ status: 0, err: '' });
    expect(out).toMatch(/Restored 2 documents in 1 workspaces/);
    server = await start(`PORT=${port} ${startRestored}`.replace(/^(\S+) (\S+) /, 'env $1 $2 '));
    expect(server.token).toBeUndefined();
    const { data, errors } = await ask('{ a: document(id: "a") { title value revision } b: document(id: "b") { value } late: document(id: "after-the-backup") { id } }');
    expect(errors).toBeUndefined();
    expect(data).toMatchObject({ a: { title: 'A \t \\. é 😀', value: { n: 1, text: 'tab\tnew\nline\\' }, revision: 1 }, b: { value: { n: 20 } }, late: null });

    await expect.poll(() => ahead.get('b')?.value, { timeout: 30_000 }).toEqual({ n: 20 });
    await expect.poll(async () => (await ask('{ document(id: "unsent") { value } }')).data, { timeout: 30_000 }).toEqual({ document: { value: { unsent: true } } });
    await edit('goes on where the backup ended', 'mutation { patchDocument(id: "b", patch: [{ op: "inc", path: "/n", value: 1 }]) { __typename } }');
    for (const replica of replicas) await expect.poll(() => replica.get('b')?.value, { timeout: 30_000 }).toEqual({ n: 21 });
  });

  it('restores into a database of another PostgreSQL without the tokens, and prints a new one', async () => {
    const url = await newEmptyDatabase(createDatabase);
    const { status, out, err } = await sh(restoreToDatabase.replace(/DATABASE_URL=\S+/, `DATABASE_URL=${url}`));
    expect({ status, err }).toEqual({ status: 0, err: '' });
    const made = /^([0-9a-f]{18})\.\S+$/m.exec(out);
    expect(await query(url, 'SELECT id FROM tokens')).toEqual([{ id: made?.[1] }]);
    expect(await query(url, `SELECT epoch, position::int FROM workspaces`)).toEqual([{ epoch: 2, position: 22 }]);
    // The next row of the audit gets an id of its own.
    expect(await query(url, `SELECT count(*)::int AS rows FROM audit_entries WHERE action = 'CREATE_TOKEN' AND detail->>'by' = 'restore'`)).toEqual([{ rows: 1 }]);
    await query(url, raiseEpoch);
    expect(await query(url, 'SELECT epoch FROM workspaces')).toEqual([{ epoch: 3 }]);
    await dropDatabase(url);
  });
});

async function newEmptyDatabase(statement?: string): Promise<string> {
  const url = new URL(await newDatabase());
  const name = url.pathname.slice(1);
  await dropDatabase(url.href);
  url.pathname = '/postgres';
  await query(url.href, statement === undefined ? `CREATE DATABASE ${name}` : statement.replace(/CREATE DATABASE \w+/, `CREATE DATABASE ${name}`));
  url.pathname = `/${name}`;
  return url.href;
}

async function query(connectionString: string, text: string): Promise<readonly unknown[]> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return (await client.query(text)).rows as readonly unknown[];
  } finally {
    await client.end();
  }
}
