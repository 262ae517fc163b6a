import { fork } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConcordError } from '@concord/core';
import { openReplica, type Replica } from '../index.js';

describe('a replica that was never online', () => {
  const folder = mkdtempSync(join(tmpdir(), 'concord-local-'));
  let files = 0;
  const open: Replica[] = [];
  const newFile = () => join(folder, `${files++}.db`);
  const openOffline = async (database: string): Promise<Replica> => {
    const replica = await openReplica({ url: 'http://127.0.0.1:1/graphql', token: 'a.b', database, online: false });
    open.push(replica);
    return replica;
  };
  afterAll(async () => {
    await Promise.all(open.map((replica) => replica.close()));
    rmSync(folder, { recursive: true, force: true });
  });

  const refusal = (work: () => unknown): ConcordError => {
    try {
      work();
    } catch (error) {
      if (error instanceof ConcordError) return error;
      throw error;
    }
    throw new Error('nothing was refused');
  };

  it('keeps every edit, in order, over a close and open after each one', async () => {
    const database = newFile();
    const step = async (work: (replica: Replica) => void): Promise<void> => {
      const replica = await openOffline(database);
      work(replica);
      await replica.close();
    };
    await step((replica) => replica.collection('c').create({ text: 'ab', n: 1, list: [1, 2] }, { id: 'd', title: 'T' }));
    await step((replica) => replica.collection('c').insertText('d', '/text', 1, '-'));
    await step((replica) => replica.collection('c').increment('d', '/n', 2));
    await step((replica) => replica.collection('c').edit('d', [{ op: 'move', from: '/list/0', path: '/list/1' }]));
    await step((replica) => replica.collection('c').delete('d'));
    await step((replica) => replica.collection('c').restore('d'));
    await step((replica) => {
      expect(replica.pending().map(({ kind }) => kind)).toEqual(['CREATE', 'PATCH', 'PATCH', 'PATCH', 'DELETE', 'RESTORE']);
      expect(replica.get('d')).toMatchObject({ title: 'T', revision: 0, pendingEdits: 6, deleted: false, value: { text: 'a-b', n: 3, list: [2, 1] } });
    });
  });

  it('refuses a draft function that edits its own document, and keeps what that edit did', async () => {
    const replica = await openOffline(newFile());
    const notes = replica.collection<{ n: number }>('c');
    notes.create({ n: 0 }, { id: 'd' });
    const refused = refusal(() =>
      notes.edit('d', (draft) => {
        notes.increment('d', '/n');
        draft.n = 5;
      }),
    );
    expect(refused.code).toBe('INPUT_INVALID');
    expect(replica.get('d')?.value).toEqual({ n: 1 });
    expect(replica.pending()).toHaveLength(2);
  });

  it('keeps what was edited when its process is killed at once', async () => {
    const database = newFile();
    const script = join(folder, 'die.mts');
    writeFileSync(
      script,
      `import { openReplica } from ${JSON.stringify(new URL('../index.ts', import.meta.url).href)};
       const replica = await openReplica({ url: 'http://127.0.0.1:1/graphql', token: 'a.b', database: ${JSON.stringify(database)}, online: false });
       const docs = replica.collection('c');
       docs.create({ n: 0 }, { id: 'd' });
       for (let n = 0; n < 50; n++) docs.increment('d', '/n');
       process.kill(process.pid, 'SIGKILL');`,
    );
    const child = fork(script, { execArgv: ['--conditions=@concord/source', '--import', 'tsx'], cwd: new URL('../..', import.meta.url) });
    const signal = await new Promise((resolve) => child.on('exit', (_code, by) => resolve(by)));
    expect(signal).toBe('SIGKILL');
    const replica = await openOffline(database);
    expect(replica.get('d')).toMatchObject({ value: { n: 50 }, pendingEdits: 51 });
  });

  it('refuses a second replica on the same file, until the first is closed', async () => {
    const database = newFile();
    const first = await openOffline(database);
    await expect(openOffline(database)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await first.close();
    await (await openOffline(database)).close();
  });

  it('refuses an address that is none', async () => {
    await expect(openReplica({ url: 'localhost:8080', token: 'a.b', database: newFile() })).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });

  it('refuses files that are not a replica\'s, or of a newer format', async () => {
    const text = newFile();
    writeFileSync(text, 'This is no database, but it is long enough to be read as one. '.repeat(20));
    await expect(openOffline(text)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    const foreign = newFile();
    new Database(foreign).exec('CREATE TABLE t (a)').close();
    await expect(openOffline(foreign)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    const newer = newFile();
    await (await openOffline(newer)).close();
    const database = new Database(newer);
    database.pragma('user_version = 99');
    database.close();
    await expect(openOffline(newer)).rejects.toMatchObject({ code: 'INPUT_INVALID', details: { actual: 99 } });
  });

  describe('told what it cannot do', () => {
    let replica: Replica;
    beforeAll(async () => {
      replica = await openOffline(newFile());
      replica.collection('c').create({ a: { b: [1] }, text: '🦊', n: 1 }, { id: 'd' });
    });

    it.each([
      ['a missing place', () => replica.collection('c').edit('d', [{ op: 'add', path: '/new', value: 1 }, { op: 'remove', path: '/a/x' }]), 'PATH_NOT_FOUND', { operation: 1, path: '/a/x' }],
      ['a bad pointer', () => replica.collection('c').edit('d', [{ op: 'remove', path: 'a' }]), 'POINTER_INVALID', { operation: 0 }],
      ['no operation at all', () => replica.collection('c').edit('d', [{ op: 'frobnicate' }] as never), 'PATCH_MALFORMED', { operation: 0 }],
      ['an index out of range', () => replica.collection('c').edit('d', [{ op: 'add', path: '/a/b/7', value: 1 }]), 'RANGE_INVALID', { operation: 0 }],
      ['half a surrogate pair', () => replica.collection('c').insertText('d', '/text', 1, 'x'), 'RANGE_INVALID', {}],
      ['a counter that is no number', () => replica.collection('c').increment('d', '/text'), 'TYPE_MISMATCH', {}],
      ['a draft that is not JSON', () => replica.collection<{ a: unknown }>('c').edit('d', (draft) => void (draft.a = () => 1)), 'VALUE_INVALID', {}],
      ['a failed test', () => replica.collection('c').edit('d', [{ op: 'test', path: '/n', value: 2 }]), 'TEST_FAILED', {}],
      ['an unknown document', () => replica.collection('c').edit('nope', []), 'DOCUMENT_NOT_FOUND', {}],
      ['an id that is taken', () => replica.collection('c').create({}, { id: 'd' }), 'DOCUMENT_EXISTS', {}],
      ['an id of bad characters', () => replica.collection('c').create({}, { id: 'a\tb' }), 'INPUT_INVALID', {}],
      ['a document too large', () => replica.collection('c').create({ big: 'x'.repeat(1024 * 1024) }), 'LIMIT_EXCEEDED', { limit: 1024 * 1024 }],
      ['a value with __proto__', () => replica.collection('c').create(JSON.parse('{"__proto__": 1}')), 'VALUE_INVALID', {}],
    ])('refuses %s with code and place, and keeps nothing of it', (_what, work, code, details) => {
      const before = { document: replica.get('d'), pending: replica.pending() };
      const error = refusal(work);
      expect(error.code).toBe(code);
      expect(error.details).toMatchObject(details);
      expect({ document: replica.get('d'), pending: replica.pending() }).toEqual(before);
    });

    it('queues nothing for a draft that changes nothing', () => {
      expect(replica.collection('c').edit('d', () => undefined)).toEqual({ documentId: 'd', patchId: null });
      expect(replica.collection('c').restore('d')).toEqual({ documentId: 'd', patchId: null });
    });
  });

  it('turns a draft into operations that merge: text, items, keys', async () => {
    const replica = await openOffline(newFile());
    const docs = replica.collection<{ text: string; list: { id: string; n: number }[]; gone?: number }>('c');
    docs.create({ text: 'hello world', list: [{ id: 'a', n: 1 }, { id: 'b', n: 2 }], gone: 1 }, { id: 'd' });
    docs.edit('d', (draft) => {
      draft.text = 'hello brave world';
      draft.list.splice(1, 0, { id: 'c', n: 3 });
      delete draft.gone;
    });
    expect(docs.get('d')?.value).toEqual({ text: 'hello brave world', list: [{ id: 'a', n: 1 }, { id: 'c', n: 3 }, { id: 'b', n: 2 }] });
  });

  it('tells a listener of its status once, also one that stops and listens anew while it is told', async () => {
    const replica = await openOffline(newFile());
    let told = 0;
    let stop = (): void => undefined;
    let listening = false;
    const listen = (): void => {
      // It is told the status of the moment in the call itself.
      listening = true;
      stop = replica.onStatus(() => {
        if (listening || ++told > 10) return;
        stop();
        listen();
      });
      listening = false;
    };
    listen();
    replica.collection('c').create({ n: 0 }, { id: 'd' });
    await Promise.resolve();
    expect(told).toBe(1);
    stop();
  });

  it('makes a local edit in well under a millisecond at the median', async () => {
    const replica = await openOffline(newFile());
    const docs = replica.collection('c');
    docs.create({ n: 0, filler: 'x'.repeat(1000), list: Array.from({ length: 50 }, (_, index) => ({ index })) }, { id: 'd' });
    const times: number[] = [];
    for (let n = 0; n < 500; n++) {
      const start = performance.now();
      docs.increment('d', '/n');
      times.push(performance.now() - start);
    }
    expect(times.sort((a, b) => a - b)[250]).toBeLessThan(1);
  });
});
