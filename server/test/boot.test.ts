import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { postgresUrl } from './postgres-url.js';

const root = path.join(import.meta.dirname, '..', '..');

interface Run {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly exited: Promise<number | null>;
}

function run(script: string, args: readonly string[], environment: Record<string, string>): Run {
  const child = spawn(process.execPath, ['--conditions=@concord/source', '--import', 'tsx', path.join(root, script), ...args], {
    cwd: root,
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    // One that hangs does not outlive its test for long.
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return { child, output: () => text, exited: new Promise((resolve) => child.once('close', resolve)) };
}

/** Resolves when the output has the text; rejects when the process ends without. */
async function shows(running: Run, text: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const look = () => {
      if (running.output().includes(text)) resolve();
    };
    running.child.stdout?.on('data', look);
    running.child.stderr?.on('data', look);
    void running.exited.then(() => reject(new Error(`It ended without "${text}":\n${running.output()}`)));
    look();
  });
}

async function freePort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return String(port);
}

describe('npm start', { timeout: 60_000 }, () => {
  let folder: string;
  let environment: Record<string, string>;
  let url: string;
  let token: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join('/tmp', 'concord-boot-'));
    environment = { PORT: await freePort(), CONCORD_DATA: folder };
    url = `http://127.0.0.1:${environment['PORT']}/graphql`;
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function ask(query: string): Promise<unknown> {
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` }, body: JSON.stringify({ query }) });
    return response.json();
  }

  it('makes its own PostgreSQL, prints where GraphiQL is, a ready token and an operation, and stops on Ctrl-C', async () => {
    const first = run('server/main.ts', [], environment);
    await shows(first, 'Ctrl-C stops it.');
    expect(first.output()).toContain(`GraphiQL:  ${url}`);
    token = /Token: {5}(\S+)/.exec(first.output())?.[1] ?? '';
    const example = /^ {2}(mutation \{[\s\S]*?^ {2}\})$/m.exec(first.output())?.[1] ?? '';
    expect(await ask(example)).toEqual({ data: { createDocument: { document: { id: 'hello', revision: 1, value: { text: 'Hello', likes: 0, tags: [] } } } } });
    first.child.kill('SIGINT');
    expect(await first.exited).toBe(0);
    expect(first.output()).toContain('PostgreSQL is stopped.');
  });

  it('starts again with the same data and makes no second token; after kill -9 it adopts the PostgreSQL that still runs', async () => {
    const second = run('server/main.ts', [], environment);
    await shows(second, 'Ctrl-C stops it.');
    expect(second.output()).not.toMatch(/[0-9a-f]{18}\.[A-Za-z0-9_-]{32}/);
    second.child.kill('SIGKILL');
    await second.exited;

    const third = run('server/main.ts', [], environment);
    await shows(third, 'Ctrl-C stops it.');
    expect(third.output()).toContain('PostgreSQL was still running; adopted.');
    expect(await ask('{ document(id: "hello") { value } }')).toEqual({ data: { document: { value: { text: 'Hello', likes: 0, tags: [] } } } });

    const created = run('server/token-cli.ts', ['create', '--name', 'Ann', '--role', 'VIEWER'], environment);
    expect(await created.exited).toBe(0);
    const [viewerToken = ''] = /\S+\.\S+/.exec(created.output()) ?? [];
    const owner = token;
    token = viewerToken;
    expect(await ask('{ viewer { name } }')).toEqual({ data: { viewer: { name: 'Ann' } } });
    const revoked = run('server/token-cli.ts', ['revoke', viewerToken], environment);
    expect(await revoked.exited).toBe(0);
    expect(JSON.stringify(await ask('{ viewer { name } }'))).toContain('UNAUTHENTICATED');
    const mistyped = run('server/token-cli.ts', ['revoke', 'nope'], environment);
    expect(await mistyped.exited).toBe(1);
    expect(mistyped.output()).toContain('There is no token nope');
    token = owner;

    third.child.kill('SIGTERM');
    expect(await third.exited).toBe(0);
    const list = run('server/token-cli.ts', ['list'], environment);
    expect(await list.exited).toBe(0);
    expect(list.output()).toMatch(/valid.*Owner[\s\S]*revoked.*Ann.*VIEWER of main/);
    expect(list.output()).not.toContain(viewerToken);
    const preview = run('server/compact-cli.ts', ['--dry-run', '--days', '1'], environment);
    expect(await preview.exited).toBe(0);
    expect(preview.output()).toContain('0 changes (0 bytes) and 0 rows of the audit would go.');
    const compacted = run('server/compact-cli.ts', ['--workspace', 'main'], environment);
    expect(await compacted.exited).toBe(0);
    expect(compacted.output()).toContain('main: 0 changes are gone, the log begins after position 0.');
    const keeping = run('server/compact-cli.ts', ['--days', '0'], environment);
    expect(await keeping.exited).toBe(0);
    expect(keeping.output()).toMatch(/^No change is compacted: 0 days keeps them all\. To compact older ones give --days N.*\n$/m);
    expect(keeping.output()).not.toContain('gone');
  });

  it('starts after PostgreSQL itself was killed with the server', async () => {
    const killed = run('server/main.ts', [], environment);
    await shows(killed, 'Ctrl-C stops it.');
    const pid = Number(/"pid":(\d+),"port"/.exec(killed.output())?.[1]);
    killed.child.kill('SIGKILL');
    process.kill(pid, 'SIGKILL');
    await killed.exited;
    const next = run('server/main.ts', [], environment);
    await shows(next, 'Ctrl-C stops it.');
    expect(await ask('{ document(id: "hello") { revision } }')).toEqual({ data: { document: { revision: 1 } } });
    const other = run('server/main.ts', [], { ...environment, CONCORD_DATA: folder });
    expect(await other.exited).toBe(1);
    expect(other.output()).toContain(`port ${environment['PORT']} on 127.0.0.1 is taken`);
    expect(await ask('{ document(id: "hello") { revision } }')).toEqual({ data: { document: { revision: 1 } } });
    next.child.kill('SIGINT');
    expect(await next.exited).toBe(0);
  });

  it.each([
    ['token', 'server/token-cli.ts', ['list']],
    ['token', 'server/token-cli.ts', ['revoke', 'some']],
    ['token', 'server/token-cli.ts', ['create', '--name', 'Ann', '--role', 'VIEWER']],
    ['compact', 'server/compact-cli.ts', ['--dry-run']],
  ])('has to come before %s where there is no data: it says so, and makes nothing (%s, %j)', async (_command, script, args) => {
    const empty = path.join(folder, 'empty');
    const refused = run(script, args, { CONCORD_DATA: empty });
    expect(await refused.exited).toBe(1);
    expect(refused.output()).toBe(`There is no data of Concord in ${empty} (CONCORD_DATA). Nothing was done.
The first npm start makes it, with a token of the owner. If a server has run already, set CONCORD_DATA or DATABASE_URL as it has them.
`);
    await expect(readdir(empty)).rejects.toThrow('ENOENT');
    await mkdir(empty);
    await run(script, args, { CONCORD_DATA: empty }).exited;
    expect(await readdir(empty)).toEqual([]);
    await rm(empty, { recursive: true });
  });

  it('has to come before token where the database of DATABASE_URL is empty: it says so, and makes no tables', async () => {
    const name = `never_started_${process.pid}`;
    const admin = new pg.Client({ connectionString: postgresUrl() });
    await admin.connect();
    await admin.query(`CREATE DATABASE ${name}`);
    const databaseUrl = Object.assign(new URL(postgresUrl()), { pathname: `/${name}` }).href;
    const refused = run('server/token-cli.ts', ['list'], { DATABASE_URL: databaseUrl });
    expect(await refused.exited).toBe(1);
    expect(refused.output()).toMatch(/^There is no data of Concord in the database of DATABASE_URL\. Nothing was done\.\n/);
    const client = new pg.Client({ connectionString: databaseUrl });
    await client.connect();
    expect((await client.query(`SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace`)).rows).toEqual([]);
    await client.end();
    await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
    await admin.end();
  });

  it.concurrent.each([
    ['an unknown argument', 'server/main.ts', ['--port'], {}, 2, 'Unknown argument: --port'],
    ['a wrong variable', 'server/main.ts', [], { PORT: 'x' }, 2, 'PORT (the port to listen on'],
    ['plain HTTP in production', 'server/main.ts', [], { NODE_ENV: 'production' }, 2, 'NODE_ENV=production refuses plain HTTP'],
    ['a database that is not there', 'server/main.ts', [], { PORT: '0', DATABASE_URL: 'postgresql://u:p@127.0.0.1:1/d' }, 1, 'the PostgreSQL of DATABASE_URL cannot be reached at 127.0.0.1:1 (ECONNREFUSED)'],
    ['a data folder that cannot be made', 'server/main.ts', [], { PORT: '0', CONCORD_DATA: '/proc/nope' }, 1, 'CONCORD_DATA: the folder /proc/nope cannot be used'],
    ['a file as data folder', 'server/main.ts', [], { PORT: '0', CONCORD_DATA: 'package.json' }, 1, 'there is a file of that name on the way. Give one'],
    ['a token command without a role', 'server/token-cli.ts', ['create', '--name', 'x'], {}, 2, 'create needs --role'],
    ['a compaction of no number of days', 'server/compact-cli.ts', ['--days', 'ten'], {}, 2, '--days needs a whole number'],
    ['an unknown token command', 'server/token-cli.ts', ['destroy'], {}, 2, 'Unknown argument: destroy. Say create, list or revoke.'],
  ])('refuses %s and says what to do', async (_name, script, args, change, status, text) => {
    const refused = run(script, args, change);
    expect(await refused.exited).toBe(status);
    expect(refused.output()).toContain(text);
  });
});
