import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ConcordError } from '@concord/core';
import { ChangesDocument, Collection, DocumentDocument, DocumentsDocument, HistoryDocument, openReplica, PushDocument, Replica } from '../index.js';

describe('a replica after close()', () => {
  const folder = mkdtempSync(join(tmpdir(), 'concord-closed-'));
  let files = 0;
  const open = async (): Promise<Replica> => {
    const replica = await openReplica({ url: 'http://127.0.0.1:1/graphql', token: 'a.b', database: join(folder, `${files++}.db`), online: false });
    replica.collection('c').create({ n: 0, text: 'a' }, { id: 'd' });
    return replica;
  };
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const codeOf = async (call: () => unknown): Promise<string> => {
    try {
      await call();
      return 'answered';
    } catch (error) {
      if (error instanceof ConcordError && /open it again/i.test(error.message)) return error.code;
      throw error;
    }
  };
  const never = (): never => {
    throw new Error('a listener was called');
  };

  /** Every method of the two classes; what is answered after close says so. A method that is missing here fails the test below. */
  const calls: Record<string, (replica: Replica, collection: Collection, query: ReturnType<Collection['query']>) => unknown> = {
    'Replica.collection': (replica) => replica.collection('c'),
    'Replica.get': (replica) => replica.get('d'),
    'Replica.watch': (replica) => replica.watch('d', never),
    'Replica.onStatus': (replica) => replica.onStatus(never),
    'Replica.pending': (replica) => replica.pending(),
    'Replica.withdraw': (replica) => replica.withdraw('x'),
    'Replica.conflicts': (replica) => replica.conflicts(),
    'Replica.onConflict': (replica) => replica.onConflict(never),
    'Replica.restoreConflict': (replica) => replica.restoreConflict(1),
    'Replica.undo': (replica) => replica.undo(),
    'Replica.redo': (replica) => replica.redo(),
    'Replica.canUndo': (replica) => replica.canUndo(),
    'Replica.canRedo': (replica) => replica.canRedo(),
    'Replica.group': (replica) => replica.group(() => 1),
    'Replica.dismissConflict': (replica) => replica.dismissConflict(1),
    'Replica.quarantined': (replica) => replica.quarantined(),
    'Replica.retryQuarantined': (replica) => replica.retryQuarantined('x'),
    'Replica.discardQuarantined': (replica) => replica.discardQuarantined('x'),
    'Replica.settled': (replica) => replica.settled(),
    'Replica.goOnline': (replica) => replica.goOnline(),
    'Replica.setToken': (replica) => replica.setToken('c.d'),
    'Replica.kept': (replica) => replica.kept(),
    'Replica.bringBack': (replica) => replica.bringBack(1),
    'Replica.dropKept': (replica) => replica.dropKept(1),
    'Replica.takeHistory': (replica) => replica.takeHistory(),
    'Replica.handOver': (replica) => replica.handOver(),
    'Replica.clear': (replica) => replica.clear(),
    'Collection.create': (_, collection) => collection.create({}),
    'Collection.get': (_, collection) => collection.get('d'),
    'Collection.edit': (_, collection) => collection.edit('d', []),
    'Collection.insertText': (_, collection) => collection.insertText('d', '/text', 0, 'x'),
    'Collection.deleteText': (_, collection) => collection.deleteText('d', '/text', 0, 1),
    'Collection.increment': (_, collection) => collection.increment('d', '/n'),
    'Collection.delete': (_, collection) => collection.delete('d'),
    'Collection.restore': (_, collection) => collection.restore('d'),
    'Collection.watch': (_, collection) => collection.watch('d', never),
    'Collection.query': (_, collection) => collection.query(),
    'LiveQuery.all': (_, __, query) => query.all(),
    'LiveQuery.subscribe': (_, __, query) => query.subscribe(never),
  };
  /** They tell how it ended, or end it once more. */
  const answered = ['Replica.replicaId', 'Replica.status', 'Replica.client', 'Replica.bytes', 'Replica.goOffline', 'Replica.close'];

  it('is looked at with every public call', () => {
    const internal = new Set(['constructor', 'end', 'conflicted', 'failed', 'progressed', 'assertOpen', 'own', 'openStore', 'timestamp', 'damaged', 'connectAgain', 'subscribeOn']);
    const found = [Replica, Collection].flatMap((type) =>
      Object.getOwnPropertyNames(type.prototype).flatMap((name) => (internal.has(name) ? [] : [`${type.name}.${name}`])),
    );
    expect(found.filter((name) => calls[name] === undefined && !answered.includes(name))).toEqual([]);
  });

  it.each(Object.keys(calls))('refuses %s with UNAVAILABLE, while it closes and after', async (name) => {
    const replica = await open();
    const collection = replica.collection('c');
    const query = collection.query();
    const closing = replica.close();
    const whileClosing = await codeOf(() => calls[name]!(replica, collection, query));
    await closing;
    expect([whileClosing, await codeOf(() => calls[name]!(replica, collection, query))]).toEqual(['UNAVAILABLE', 'UNAVAILABLE']);
  });

  it('answers urql with UNAVAILABLE, from the file and from the server', async () => {
    const replica = await open();
    const { client } = replica;
    await replica.close();
    for (const urql of [client, replica.client]) {
      const results = [
        await urql.query(DocumentsDocument, {}).toPromise(),
        await urql.query(DocumentDocument, { id: 'd' }).toPromise(),
        await urql.query(HistoryDocument, { documentId: 'd' }).toPromise(),
        await urql.mutation(PushDocument, { replicaId: replica.replicaId, edits: [] }).toPromise(),
        await new Promise<{ readonly error?: unknown }>((resolve) => urql.subscription(ChangesDocument, {}).subscribe(resolve)),
      ] as { readonly error?: { readonly networkError?: unknown } }[];
      expect(results.map(({ error }) => (error?.networkError as ConcordError).code)).toEqual(Array(5).fill('UNAVAILABLE'));
    }
  });

  it('calls no listener for what happened just before', async () => {
    const replica = await open();
    const notes = replica.collection<{ n: number }>('c');
    const told: unknown[] = [];
    notes.watch('d', (document) => told.push(document?.value.n));
    notes.query().subscribe((documents) => told.push(documents.length));
    notes.increment('d', '/n');
    await replica.close();
    expect(told).toEqual([0, 1]);
  });

  it('closes once, however often it is asked, and still says how it ended', async () => {
    const replica = await open();
    const [first, second] = [replica.close(), replica.close()];
    await Promise.all([first, second]);
    await replica.close();
    await replica.goOffline();
    expect([replica.status.connection, replica.replicaId.length, replica.bytes()]).toEqual(['offline', 32, { sent: 0, received: 0 }]);
  });
});
