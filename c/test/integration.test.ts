import { execFile } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { canonicalJson, type JsonValue } from '@concord/core';
import { CutProxy } from '../../client/test/cut-proxy.js';
import { openReplica, type Replica } from '../../client/index.js';
import { startTestServer, type TestServer } from '../../server/test/harness.js';
import { CReplica, driverProgram } from './c-replica.js';

const LIVE = 4;
const DOCUMENT = 1;
const CONNECTION = 3;

let server: TestServer;
let folder: string;
let files = 0;
const replicas: CReplica[] = [];
const tsReplicas: Replica[] = [];

beforeAll(async () => {
  server = await startTestServer();
  folder = mkdtempSync(join(tmpdir(), 'concord-c-'));
});

afterEach(async () => {
  // Null: killed by the test. A sanitizer that found something ends the driver with a status of its own.
  for (const replica of replicas.splice(0)) expect([0, null]).toContain(await replica.close());
  await Promise.all(tsReplicas.splice(0).map((replica) => replica.close()));
});

afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

const newFile = (): string => join(folder, `replica-${files++}.db`);
let documents = 0;
const newId = (): string => `doc-${documents++}`;

function openC(file = newFile(), url = server.url, token = server.token): CReplica {
  const replica = CReplica.open(file, url, token);
  replicas.push(replica);
  return replica;
}

async function openTs(online = true): Promise<Replica> {
  const replica = await openReplica({ url: server.url, token: server.token, database: newFile(), online, retry: { firstMs: 20, longestMs: 200 } });
  tsReplicas.push(replica);
  return replica;
}

async function onServer(id: string): Promise<JsonValue> {
  const { data } = await server.graphql('query ($id: ID!) { document(id: $id) { value } }', { id });
  return (data?.['document'] as { value: JsonValue } | null)?.value ?? null;
}

async function revisions(id: string): Promise<number> {
  const { data } = await server.graphql('query ($id: ID!) { history(documentId: $id, first: 1000) { nodes { revision } } }', { id });
  return (data?.['history'] as { nodes: unknown[] }).nodes.length;
}

/** Someone else edits at the head. */
async function edit(id: string, patch: unknown): Promise<void> {
  const { data, errors } = await server.graphql('mutation ($id: ID!, $patch: JSON!) { patchDocument(id: $id, patch: $patch) { __typename } }', { id, patch });
  expect(errors).toEqual([]);
  expect(data?.['patchDocument']).toEqual({ __typename: 'Edited' });
}

describe('a C replica and a TypeScript replica', () => {
  it('edit the same document offline and end identical', async () => {
    const id = newId();
    const c = openC();
    const ts = await openTs();
    const notes = ts.collection<Record<string, JsonValue>>('notes');
    await c.create(id, { title: 'Plan', items: ['a', 'b', 'c'], text: 'hello world', count: 1, meta: { x: 1 } });
    await c.sync();
    await ts.settled({ timeoutMs: 10_000 });
    expect(notes.get(id)?.value).toEqual({ title: 'Plan', items: ['a', 'b', 'c'], text: 'hello world', count: 1, meta: { x: 1 } });

    await ts.goOffline();
    notes.edit(id, [
      { op: 'add', path: '/items/1', value: 'ts' },
      { op: 'str_ins', path: '/text', pos: 5, str: ', 😀' },
      { op: 'inc', path: '/count', value: 10 },
    ]);
    notes.edit(id, [{ op: 'move', from: '/items/0', path: '/items/3' }]);
    await c.patch(id, [{ op: 'add', path: '/items/1', value: 'c1' }]);
    await c.patch(id, [{ op: 'add', path: '/items/2', value: 'c2' }]);
    await c.patch(id, [{ op: 'str_del', path: '/text', pos: 0, len: 5 }, { op: 'inc', path: '/count', value: 100 }]);
    await c.patch(id, [{ op: 'replace', path: '/title', value: 'Plan é' }]);
    expect((await c.get(id)).value).toMatchObject({ items: ['a', 'c1', 'c2', 'b', 'c'], count: 101, text: ' world' });

    ts.goOnline();
    await ts.settled({ timeoutMs: 10_000 });
    await c.sync();
    await ts.settled({ timeoutMs: 10_000 });
    await expect.poll(() => notes.get(id)?.value.count).toBe(111);
    const truth = canonicalJson(await onServer(id));
    const { value, pending } = await c.get(id);
    expect(pending).toBe(false);
    expect(canonicalJson(value)).toBe(truth);
    expect(canonicalJson(notes.get(id)?.value ?? null)).toBe(truth);
    expect(value).toMatchObject({ title: 'Plan é', count: 111, text: ', 😀 world' });
  });

  it('converge over rounds of random edits', async () => {
    let seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
    process.stdout.write(`  SEED=${seed}\n`);
    const random = (below: number): number => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return Math.floor((seed / 2147483648) * below);
    };
    const id = newId();
    const c = openC();
    const other = openC();
    const ts = await openTs();
    const notes = ts.collection<{ list: JsonValue[]; text: string; n: number; map: Record<string, JsonValue> }>('notes');
    await c.create(id, { list: [1, 2, 3], text: 'abcdef', n: 0, map: {} });
    await c.sync();
    await other.sync();
    await ts.settled({ timeoutMs: 10_000 });

    type Shape = { list: JsonValue[]; text: string; n: number; map: Record<string, JsonValue> };
    const next = (value: Shape): unknown[] => {
      const { list, text } = value;
      switch (random(8)) {
        case 0:
          return [{ op: 'add', path: `/list/${random(list.length + 1)}`, value: random(100) }];
        case 1:
          return list.length > 0 ? [{ op: 'remove', path: `/list/${random(list.length)}` }] : [{ op: 'add', path: '/list/-', value: 'x' }];
        case 2:
          return list.length > 1
            ? [{ op: 'move', from: `/list/${random(list.length)}`, path: `/list/${random(list.length)}` }]
            : [{ op: 'add', path: '/list/0', value: [] }];
        case 3:
          return [{ op: 'str_ins', path: '/text', pos: 0, str: String.fromCodePoint(0x1f600 + random(30)) }];
        case 4:
          return [{ op: 'str_ins', path: '/text', pos: text.length, str: `${random(10)}` }];
        case 5:
          return /[a-z0-9]$/.test(text) ? [{ op: 'str_del', path: '/text', pos: text.length - 1, len: 1 }] : [{ op: 'inc', path: '/n', value: 1 }];
        case 6:
          return [{ op: 'inc', path: '/n', value: random(20) - 10 }];
        default:
          return [{ op: 'add', path: `/map/k${random(3)}`, value: { at: random(9) } }];
      }
    };
    for (let round = 0; round < Number(process.env['ROUNDS'] ?? 8); round++) {
      await ts.goOffline();
      for (let count = random(5); count >= 0; count--) notes.edit(id, next(notes.get(id)!.value) as never);
      for (const replica of [c, other]) {
        for (let count = random(5); count >= 0; count--) await replica.patch(id, next((await replica.get(id)).value as never) as never);
      }
      const order = random(2) === 0 ? [c, other] : [other, c];
      await order[0]!.sync();
      ts.goOnline();
      await ts.settled({ timeoutMs: 10_000 });
      await order[1]!.sync();
    }
    await c.sync();
    await other.sync();
    await ts.settled({ timeoutMs: 10_000 });
    const truth = canonicalJson(await onServer(id));
    await expect.poll(() => canonicalJson(notes.get(id)!.value)).toBe(truth);
    for (const replica of [c, other]) {
      expect(canonicalJson((await replica.get(id)).value)).toBe(truth);
      expect(await replica.info()).toMatchObject({ pending: 0, quarantined: 0 });
    }
  });
});

describe('a C replica', () => {
  it('keeps what was edited offline over a kill, and commits each edit once', async () => {
    const id = newId();
    const file = newFile();
    const first = openC(file);
    await first.create(id, { n: 0 });
    await first.patch(id, [{ op: 'inc', path: '/n', value: 1 }]);
    await first.kill();
    const second = openC(file);
    await second.patch(id, [{ op: 'inc', path: '/n', value: 10 }]);
    expect((await second.info()).pending).toBe(3);
    await second.sync();
    await second.sync();
    expect(await onServer(id)).toEqual({ n: 11 });
    expect(await revisions(id)).toBe(3);
  });

  it('commits an edit once when the acknowledgement is lost', async () => {
    const id = newId();
    const file = newFile();
    const proxy = await CutProxy.before(server.url);
    const c = openC(file, proxy.url);
    await c.create(id, { list: ['a'] });
    await c.sync();
    await c.patch(id, [{ op: 'add', path: '/list/0', value: 'first' }]);
    await c.patch(id, [{ op: 'add', path: '/list/1', value: 'second' }]);
    proxy.loseAnswers();
    const lost = c.command('sync', '600');
    await expect.poll(() => revisions(id)).toBe(3);
    await edit(id, [{ op: 'add', path: '/list/0', value: 'other' }]);
    proxy.cut();
    await lost;
    await c.kill();
    const again = openC(file, proxy.url);
    await again.patch(id, [{ op: 'add', path: '/list/-', value: 'third' }]);
    await again.sync();
    expect(await revisions(id)).toBe(5);
    expect(await onServer(id)).toEqual({ list: ['other', 'first', 'second', 'a', 'third'] });
    expect((await again.get(id)).value).toEqual(await onServer(id));
    await proxy.close();
  });

  it('says that a token is refused, and goes on with a good one', async () => {
    const id = newId();
    const c = openC(newFile(), server.url, 'nobody.secret');
    await c.create(id, {});
    expect((await c.command('sync')).status).toBe('UNAUTHENTICATED');
    await c.must('start');
    await c.heard(({ event, status }) => event === CONNECTION && status === 'UNAUTHENTICATED');
    expect((await c.info()).lastStatus).toBe('UNAUTHENTICATED');
    await c.must('token', server.token);
    await c.heard(({ event, connection }) => event === CONNECTION && connection === LIVE);
    await expect.poll(() => onServer(id)).toEqual({});
    await c.must('stop');
  });

  it('says that a viewer may not write, and keeps the edit', async () => {
    const id = newId();
    const c = openC(newFile(), server.url, await server.newToken('VIEWER'));
    await c.create(id, {});
    expect((await c.command('sync')).status).toBe('FORBIDDEN');
    expect((await c.info()).pending).toBe(1);
  });

  it('says that a server is none', async () => {
    const c = openC(newFile(), `${new URL(server.url).origin}/health`);
    expect((await c.command('sync')).status).toBe('PROTOCOL');
  });

  it('pushes by itself and tells what others changed while it runs', async () => {
    const id = newId();
    const c = openC();
    await c.must('start');
    await c.heard(({ connection }) => connection === LIVE);
    await c.create(id, { n: 1 });
    await expect.poll(() => onServer(id)).toEqual({ n: 1 });
    await expect.poll(async () => (await c.get(id)).pending).toBe(false);
    c.events.length = 0;
    await edit(id, [{ op: 'inc', path: '/n', value: 41 }]);
    await c.heard(({ event, document }) => event === DOCUMENT && document === id);
    expect((await c.get(id)).value).toEqual({ n: 42 });
    expect(c.events.every(({ nested }) => nested === 'MISUSE')).toBe(true);
    await c.must('stop');
  });

  it('finds the server again after a restart', async () => {
    const id = newId();
    const c = openC();
    await c.must('start');
    await c.heard(({ connection }) => connection === LIVE);
    await server.stop();
    await c.heard(({ event, connection }) => event === CONNECTION && connection === 1);
    await c.create(id, { offline: true });
    c.events.length = 0;
    await server.restart();
    await c.heard(({ connection }) => connection === LIVE);
    await expect.poll(() => onServer(id), { timeout: 5000 }).toEqual({ offline: true });
  });

  it('sets refused edits aside with those made on top of them, and lets others pass', async () => {
    const id = newId();
    const fine = newId();
    const c = openC();
    await c.create(id, { n: 0 });
    await c.create(fine, { n: 0 });
    await c.sync();
    await server.graphql('mutation ($id: ID!) { deleteDocument(id: $id) { __typename } }', { id });
    await c.patch(id, [{ op: 'inc', path: '/n', value: 1 }]);
    await c.patch(fine, [{ op: 'inc', path: '/n', value: 5 }]);
    await c.patch(id, [{ op: 'inc', path: '/n', value: 2 }]);
    await c.sync();
    expect(await onServer(fine)).toEqual({ n: 5 });
    expect(await c.quarantine()).toEqual([
      { document: id, kind: 'PATCH', code: 'DOCUMENT_DELETED', payload: [{ op: 'inc', path: '/n', value: 1 }] },
      { document: id, kind: 'PATCH', code: 'PATCH_DEPENDS_ON_REFUSED', payload: [{ op: 'inc', path: '/n', value: 2 }] },
    ]);
    expect(await c.get(id)).toMatchObject({ value: { n: 0 }, deleted: true, pending: false });
    await c.must('restore', id);
    await c.patch(id, [{ op: 'inc', path: '/n', value: 7 }]);
    await c.sync();
    expect(await onServer(id)).toEqual({ n: 7 });
    expect(await c.get(id)).toMatchObject({ value: { n: 7 }, deleted: false, pending: false });
  });

  it('sets a creation aside whose id is taken, and shows the other document', async () => {
    const id = newId();
    const [one, two] = [openC(), openC()];
    await one.create(id, { by: 'one' }, 'One');
    await two.create(id, { by: 'two' }, 'Two');
    await two.patch(id, [{ op: 'add', path: '/more', value: true }]);
    await one.sync();
    await two.sync();
    expect((await two.quarantine()).map(({ code }) => code)).toEqual(['DOCUMENT_EXISTS', 'PATCH_DEPENDS_ON_REFUSED']);
    expect(await two.get(id)).toMatchObject({ value: { by: 'one' }, title: 'One', pending: false });
    await two.patch(id, [{ op: 'add', path: '/more', value: 2 }]);
    await two.sync();
    expect(await onServer(id)).toEqual({ by: 'one', more: 2 });
  });

  it('lists what the merge dropped', async () => {
    const id = newId();
    const c = openC();
    await c.create(id, { title: 'old', tags: ['x'] });
    await c.sync();
    await edit(id, [{ op: 'remove', path: '/tags' }]);
    await c.patch(id, [{ op: 'add', path: '/tags/-', value: 'mine' }]);
    await c.sync();
    expect(await onServer(id)).toEqual({ title: 'old' });
    expect((await c.get(id)).value).toEqual({ title: 'old' });
    expect(await c.must('conflicts')).toEqual([expect.objectContaining({ document: id, ownLost: true, lost: 'mine' })]);
  });

  it('goes on under a new replica id when its file was copied', async () => {
    const id = newId();
    const file = newFile();
    const original = openC(file);
    await original.create(id, { list: [] });
    await original.sync();
    await original.close();
    replicas.splice(replicas.indexOf(original), 1);
    const copy = newFile();
    copyFileSync(file, copy);
    const [one, two] = [openC(file), openC(copy)];
    await one.patch(id, [{ op: 'add', path: '/list/-', value: 'one' }]);
    await two.patch(id, [{ op: 'add', path: '/list/-', value: 'two' }]);
    await two.patch(id, [{ op: 'add', path: '/list/-', value: 'three' }]);
    await one.sync();
    await two.sync();
    await one.sync();
    expect(await onServer(id)).toEqual({ list: ['one', 'two', 'three'] });
    for (const replica of [one, two]) {
      expect((await replica.get(id)).value).toEqual({ list: ['one', 'two', 'three'] });
      expect(await replica.info()).toMatchObject({ pending: 0, quarantined: 0 });
    }
  });

  it('reads a workspace of many documents and follows deletions', async () => {
    const writer = openC();
    const ids = Array.from({ length: 1200 }, () => newId());
    for (const id of ids) await writer.create(id, { id, text: 'x'.repeat(200) });
    await writer.sync();
    const reader = openC();
    await reader.sync();
    expect((await reader.get(ids[1199]!)).value).toEqual({ id: ids[1199], text: 'x'.repeat(200) });
    await writer.must('delete', ids[0]!);
    await writer.sync();
    await reader.sync();
    expect((await reader.get(ids[0]!)).deleted).toBe(true);
  });

  it('loses and doubles nothing when it is killed again and again while it pushes', async () => {
    const id = newId();
    const file = newFile();
    const first = openC(file);
    await first.create(id, { n: 0, list: [] });
    await first.sync();
    await first.kill();
    let edits = 0;
    for (let life = 0; life < 5; life++) {
      const c = openC(file);
      await c.must('start');
      for (let count = 0; count < 15; count++) {
        await c.patch(id, [{ op: 'inc', path: '/n', value: 1 }, { op: 'add', path: '/list/-', value: edits }]);
        edits += 1;
        if (count === 7) await edit(id, [{ op: 'add', path: '/list/0', value: 'other' }]);
      }
      await c.kill();
    }
    const last = openC(file);
    await last.sync();
    const value = (await onServer(id)) as { n: number; list: JsonValue[] };
    expect(value.n).toBe(edits);
    expect(value.list.filter((item) => item !== 'other')).toEqual(Array.from({ length: edits }, (_, index) => index));
    expect((await last.get(id)).value).toEqual(value);
  });

  it('shows every running replica the same in the end', async () => {
    const id = newId();
    const [one, two] = [openC(), openC()];
    const ts = await openTs();
    const notes = ts.collection<{ n: number; text: string }>('notes');
    await one.create(id, { n: 0, text: '' });
    await one.must('start');
    await two.must('start');
    await two.heard(({ event, document }) => event === DOCUMENT && document === id);
    await expect.poll(() => notes.get(id)?.value.n).toBe(0);
    for (let count = 0; count < 20; count++) {
      await one.patch(id, [{ op: 'inc', path: '/n', value: 1 }, { op: 'str_ins', path: '/text', pos: 0, str: 'a' }]);
      await two.patch(id, [{ op: 'inc', path: '/n', value: 100 }, { op: 'str_ins', path: '/text', pos: 0, str: 'b' }]);
      notes.edit(id, [{ op: 'inc', path: '/n', value: 10_000 }, { op: 'str_ins', path: '/text', pos: 0, str: 'c' }]);
    }
    await expect.poll(async () => ((await onServer(id)) as { n: number }).n, { timeout: 10_000 }).toBe(202_020);
    const truth = await onServer(id);
    for (const replica of [one, two]) await expect.poll(async () => (await replica.get(id)).value, { timeout: 10_000 }).toEqual(truth);
    await expect.poll(() => notes.get(id)?.value).toEqual(truth);
  });

  it('waits as long as the server asks, and then goes on', async () => {
    const id = newId();
    const c = openC();
    await c.create(id, {});
    await c.sync();
    await server.restart({ rateLimit: { operationsPerSecond: 4, operationsBurst: 1, editsPerSecond: 0, editsBurst: 1, failedLoginsPerMinute: 0 } });
    await c.patch(id, [{ op: 'add', path: '/a', value: 1 }]);
    await c.sync();
    expect((await c.info()).pending).toBe(0);
    await server.restart();
    expect(await onServer(id)).toEqual({ a: 1 });
  });

  it('reads a snapshot when the history was rewritten, and keeps what still fits', async () => {
    const [same, changed] = [newId(), newId()];
    const c = openC();
    await c.create(same, { n: 1 });
    await c.create(changed, { n: 1 });
    await c.sync();
    await edit(changed, [{ op: 'inc', path: '/n', value: 5 }]);
    await c.patch(same, [{ op: 'inc', path: '/n', value: 1 }]);
    await c.patch(changed, [{ op: 'inc', path: '/n', value: 1 }]);
    await server.stop();
    const client = new pg.Client({ connectionString: server.databaseUrl });
    await client.connect();
    await client.query('UPDATE workspaces SET epoch = epoch + 1');
    await client.end();
    await server.restart();
    await c.sync();
    expect(await onServer(same)).toEqual({ n: 2 });
    expect(await onServer(changed)).toEqual({ n: 6 });
    expect((await c.get(same)).value).toEqual({ n: 2 });
    expect((await c.get(changed)).value).toEqual({ n: 6 });
    expect((await c.quarantine()).map(({ document, code }) => [document, code])).toEqual([[changed, 'EPOCH_CHANGED']]);
    await c.patch(changed, [{ op: 'inc', path: '/n', value: 10 }]);
    await c.sync();
    expect(await onServer(changed)).toEqual({ n: 16 });
  });
});

describe('the C++ example', () => {
  it('adds to a list that two replicas share', async () => {
    const notes = (file: string, ...items: string[]) => promisify(execFile)(join(dirname(driverProgram), '..', 'notes'), [file, server.url, server.token, ...items]);
    const offline = await promisify(execFile)(join(dirname(driverProgram), '..', 'notes'), [newFile(), 'http://127.0.0.1:1', 'id.secret', 'tea']);
    expect(offline.stdout).toContain('2 edits wait for the server (NETWORK)');
    expect(offline.stdout).toContain('{"items":["tea"]}');
    await notes(newFile(), 'milk', 'bread "rye"');
    const { stdout } = await notes(newFile(), 'eggs');
    expect(stdout.trim().split('\n').at(-1)).toBe('{"items":["milk","bread \\"rye\\"","eggs"]}');
  });
});
