import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../server/test/harness.js';

const root = fileURLToPath(new URL('../', import.meta.url));

async function run(script: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<{ status: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, ['--conditions=@concord/source', '--import', import.meta.resolve('tsx'), join(root, script), ...args], {
    cwd: folder,
    env: { ...process.env, CONCORD_URL: '', CONCORD_TOKEN: '', ...environment },
    timeout: 110_000,
    killSignal: 'SIGKILL',
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  await once(child, 'close');
  return { status: child.exitCode, out, err };
}

let folder: string;
let server: TestServer;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'concord-demo-test-'));
  server = await startTestServer();
  const lines = Array.from({ length: 120 }, (_, index) => JSON.stringify({ name: `line number ${index}`, version: `${index}`, keywords: ['a', 'b'], nested: { deep: [index] } }));
  writeFileSync(join(folder, 'documents.ndjson'), [...lines, '{"broken": ', '{"nul": "\\u0000"}', ''].join('\n'));
});

afterAll(async () => {
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('the demo', () => {
  it('ends with the same content everywhere although the server is killed in the middle of the reconnect', async () => {
    const { status, out, err } = await run('examples/demo/main.ts', ['--crash', '--shared', '60', 'documents.ndjson']);
    expect(err).not.toMatch(/failed/);
    const [, deleted, left] = /^Documents {3}120 imported \(\d+\.\d kB\); 60 of them edited on both sides while offline, (\d+) of these deleted there; (\d+) are left$/m.exec(out) ?? [];
    expect(Number(deleted) + Number(left)).toBe(120);
    const [, all, offline] = /^Edits {7}(\d+): 120 imports, 60 that prepare the edited documents, 100 while both were online, (\d+) offline on the two sides$/m.exec(out) ?? [];
    expect(Number(all)).toBe(280 + Number(offline));
    expect(out).toMatch(/^Conflicts {3}\d+: both sides had changed the same place, and one change gave way; each is recorded with what was lost$/m);
    if (Number(deleted) > 0) expect(out).toMatch(/^Quarantine {2}\d+: edits of documents that the other side had deleted meanwhile; kept on the side that made them$/m);
    for (const where of ['replica A', 'replica B', 'server']) expect(out).toMatch(new RegExp(`^  ${where} +${left} documents`, 'm'));
    expect(out).toContain('skipped   documents.ndjson:121: not JSON');
    expect(out).toContain('skipped   documents.ndjson:122: VALUE_INVALID');
    expect(out).toContain('Replica A, replica B and the server hold the same content.');
    expect(status).toBe(0);
  }, 120_000);

  it('uses the server that CONCORD_URL names', async () => {
    const { status, out } = await run('examples/demo/main.ts', ['--shared', '5', 'documents.ndjson'], { CONCORD_URL: server.url, CONCORD_TOKEN: server.token });
    expect(out).toContain('hold the same content');
    expect(status).toBe(0);
  }, 120_000);

  it.each([
    ['nonsense', /^CONCORD_URL is "nonsense", which is no address of a server\. Give one like http:\/\/localhost:8080\/graphql, or unset it: the demo then starts a server of its own\.\n$/],
    ['http://127.0.0.1:2/graphql', /^The server of CONCORD_URL cannot be reached at http:\/\/127\.0\.0\.1:2\/graphql \(ECONNREFUSED\)\. Start it with npm start, correct CONCORD_URL, or unset it: the demo then starts a server of its own\.\n$/],
  ])('says in one line that there is no server at the address in CONCORD_URL: %s', async (url, text) => {
    const { status, out, err } = await run('examples/demo/main.ts', ['documents.ndjson'], { CONCORD_URL: url, CONCORD_TOKEN: 'a.b' });
    expect({ status, out }).toEqual({ status: 1, out: '' });
    expect(err).toMatch(text);
  });

  it('says in one line that something else answers at the address, or that the token is refused', async () => {
    const elsewhere = await run('examples/demo/main.ts', ['documents.ndjson'], { CONCORD_URL: server.url.replace('/graphql', '/health'), CONCORD_TOKEN: 'a.b' });
    expect(elsewhere.err).toMatch(/^What answers at http:\S+\/health \(CONCORD_URL\) is no GraphQL endpoint of Concord \(HTTP \d+\)\. .*\n$/);
    expect(elsewhere.status).toBe(1);
    const refused = await run('examples/demo/main.ts', ['documents.ndjson'], { CONCORD_URL: server.url, CONCORD_TOKEN: 'a.b' });
    expect(refused.err).toMatch(/^The demo failed: The token is unknown, expired or revoked\. .*\n$/);
    expect(refused.status).toBe(1);
  });

  it('tells what is wrong with its arguments, with status 2', async () => {
    expect(await run('examples/demo/main.ts', ['--sharde', '5'])).toMatchObject({ status: 2, err: expect.stringContaining('Usage: npm run demo') as string });
    expect(await run('examples/demo/main.ts', ['--shared', 'many'])).toMatchObject({ status: 2 });
    expect(await run('examples/demo/main.ts', ['no-such-folder'])).toMatchObject({ status: 2, err: expect.stringContaining('There is no file or folder no-such-folder') as string });
  });
});

describe('the first app of the README', () => {
  it('is the file in examples', () => {
    const shown = /<!-- examples\/first-app\.ts -->\n```ts\n([\s\S]*?)```/.exec(readFileSync(join(root, 'README.md'), 'utf8'))?.[1];
    expect(shown).toBe(readFileSync(join(root, 'examples/first-app.ts'), 'utf8'));
  });

  it('edits offline, settles and tells what the server holds', async () => {
    const { status, out } = await run('examples/first-app.ts', [], { CONCORD_URL: server.url, CONCORD_TOKEN: server.token });
    expect(out).toContain("open: [ 'Buy milk and bread' ]");
    expect(out).toContain("on the server: { text: 'Buy milk and bread', done: false, likes: 1, tags: [ 'shop' ] }");
    expect(status).toBe(0);
  }, 60_000);

  it('says in one line that it lacks a token, or that the server refuses it, without waiting', async () => {
    expect(await run('examples/first-app.ts', [])).toMatchObject({ status: 1, err: 'Set CONCORD_TOKEN to the token that the server printed at its first start.\n' });
    const { status, err } = await run('examples/first-app.ts', [], { CONCORD_URL: server.url, CONCORD_TOKEN: 'nobody.nothing' });
    expect(err).toMatch(/^The server refused the token: .*\n$/);
    expect(status).toBe(1);
  }, 60_000);

  it('says in one line that the address is none, or that the token may not write, without waiting', async () => {
    const nowhere = await run('examples/first-app.ts', [], { CONCORD_URL: 'nonsense', CONCORD_TOKEN: server.token });
    expect(nowhere.err).toMatch(/^url must be the http\(s\) address of the GraphQL endpoint, .*; got "nonsense"\.\n$/);
    expect(nowhere.status).toBe(1);
    rmSync(join(folder, 'notes.db'), { force: true });
    const viewer = await run('examples/first-app.ts', [], { CONCORD_URL: server.url, CONCORD_TOKEN: await server.newToken('VIEWER') });
    expect(viewer.err).toMatch(/^[^\n]*VIEWER[^\n]*\n$/);
    expect(viewer.status).toBe(1);
    expect(viewer.err).not.toMatch(/settle/i);
  }, 60_000);
});
