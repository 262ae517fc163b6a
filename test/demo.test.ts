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
    expect(out).toContain('Documents   120');
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
});
