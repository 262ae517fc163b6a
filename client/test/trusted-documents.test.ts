import { createHash } from 'node:crypto';
import { parse, print, type DocumentNode } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { PushDocument } from '../generated/graphql.js';
import { CreateDocumentDocument, HistoryDocument, ViewerDocument, WatchDocumentDocument, type Replica } from '../index.js';
import { environmentOf } from '../options.js';
import { openSocket } from '../transport.js';
import { live, reaches, World } from './world.js';

interface Sent {
  readonly query: string;
  readonly extensions?: { readonly persistedQuery: { readonly sha256Hash: string } };
}

/** A socket class that notes the operations sent through it; with `change`, it sends other hashes, as a newer client would. */
function notingSocket(change: (hash: string) => string = (hash) => hash) {
  const sent: Sent[] = [];
  class NotingSocket extends WebSocket {
    constructor(address: string, protocol: string) {
      super(address, protocol);
      // Given up while it connects.
      this.on('error', () => undefined);
    }
    override send(data: string): void {
      const text = data.replace(/(?<="sha256Hash":")[0-9a-f]+/, change);
      const message = JSON.parse(text) as { readonly type: string; readonly payload: Sent };
      if (message.type === 'subscribe') sent.push(message.payload);
      super.send(text);
    }
  }
  return { sent, NotingSocket };
}

const backwards = (hash: string) => [...hash].reverse().join('');
const hashIn = ({ extensions }: Sent) => extensions?.persistedQuery.sha256Hash;

/** As an app would have it generated for itself: another operation, under a hash that the server does not know. */
function appsOwn<Document extends DocumentNode>(document: Document): Document {
  const text = print(document).replace(/^(query|mutation|subscription) /m, '$1 My');
  return { ...parse(text), __meta__: { hash: `sha256:${createHash('sha256').update(text).digest('hex')}` } } as unknown as Document;
}

describe('the operations of a replica', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world.close());

  async function works(replica: Replica, id: string): Promise<void> {
    replica.collection('trusted').create({ n: 1 }, { id });
    await world.settle(replica);
    expect((await world.serverDocuments())[id]).toEqual({ n: 1 });
  }

  it('travel as hashes, never as text', async () => {
    const { sent, NotingSocket } = notingSocket();
    const replica = await world.open({ WebSocket: NotingSocket });
    await works(replica, 'as-hash');
    expect(sent.length).toBeGreaterThan(3);
    for (const one of sent) expect(one).toMatchObject({ query: '', extensions: { persistedQuery: { version: 1, sha256Hash: expect.stringMatching(/^[0-9a-f]{64}$/) as string } } });
  });

  it('are sent again as text to a server that does not know the hash, and from then on as text on that connection', async () => {
    const { sent, NotingSocket } = notingSocket(backwards);
    const replica = await world.open({ WebSocket: NotingSocket });
    await works(replica, 'unknown-1');
    await works(replica, 'unknown-2');
    const hashes = sent.map(hashIn).filter((hash) => hash !== undefined);
    expect(new Set(hashes).size).toBe(hashes.length);
    const texts = sent.filter(({ query }) => query !== '');
    expect(texts.filter(({ query }) => query.startsWith('mutation Push')).length).toBe(2);
    for (const text of texts) expect(hashIn(text)).toBeUndefined();
    // The next connection may be to a server that knows it.
    const before = sent.length;
    await replica.goOffline();
    replica.goOnline();
    await live(replica);
    expect(hashIn(sent[before]!)).toBeDefined();
  });

  it('are all sent again when several under the same unknown hash are under way', async () => {
    const { sent, NotingSocket } = notingSocket(backwards);
    const socket = await openSocket(environmentOf({ url: world.server.url, token: world.server.token, database: ':memory:', WebSocket: NotingSocket }), new AbortController().signal);
    const answers = await Promise.all([1, 2, 3].map(() => socket.execute(ViewerDocument, {})));
    expect(answers.map(({ viewer }) => viewer?.workspaces[0]?.id)).toEqual(['main', 'main', 'main']);
    expect(sent.map(({ query }) => query === '')).toEqual([true, true, true, false, false, false]);
    socket.close();

    const replica = await world.open();
    const document = appsOwn(ViewerDocument);
    const results = await Promise.all([1, 2, 3].map((n) => replica.client.query(document, { n } as never).toPromise()));
    expect(results.map(({ data }) => data?.viewer?.workspaces[0]?.id)).toEqual(['main', 'main', 'main']);
  });

  it('of its urql client too: by hash, or by text where the hash is unknown, over HTTP and over the socket', async () => {
    const { sent, NotingSocket } = notingSocket();
    const replica = await world.open({ WebSocket: NotingSocket });
    await live(replica);
    for (const known of [true, false]) {
      const name = <Document extends DocumentNode>(document: Document): Document => (known ? document : appsOwn(document));
      const id = `by-urql-${known ? 'hash' : 'text'}`;
      const created = await replica.client.mutation(name(CreateDocumentDocument), { id, value: {} }).toPromise();
      expect(created.data?.createDocument).toMatchObject({ __typename: 'Edited' });
      const history = await replica.client.query(name(HistoryDocument), { documentId: id }).toPromise();
      expect(history.data?.history.nodes).toMatchObject([{ revision: 1 }]);
      const before = sent.length;
      const seen = await new Promise<number | undefined>((resolve) => {
        const subscription = replica.client.subscription(name(WatchDocumentDocument), { id }).subscribe(({ data }) => {
          resolve(data?.document?.revision);
          queueMicrotask(() => subscription.unsubscribe());
        });
      });
      expect(seen).toBe(1);
      expect(sent.slice(before).map(({ query }) => query === '')).toEqual(known ? [true] : [true, false]);
    }
  });

  it('are all that a server needs which runs trusted documents only; it refuses the rest for good', async () => {
    await world.server.restart({ trustedDocuments: { file: null, only: true } });
    const replica = await world.open();
    replica.collection('trusted').create({ n: 1 }, { id: 'only' });
    await world.settle(replica);
    const history = await replica.client.query(HistoryDocument, { documentId: 'only' }).toPromise();
    expect(history.data?.history.nodes).toMatchObject([{ revision: 1 }]);
    const foreign = await replica.client.query('query Mine { workspaces { id } }', {}).toPromise();
    expect(foreign.error?.graphQLErrors[0]?.extensions['code']).toBe('PERSISTED_QUERY_ONLY');

    const { NotingSocket } = notingSocket(backwards);
    const newer = await world.open({ WebSocket: NotingSocket, online: false });
    const refused = reaches(newer, ({ lastError }) => lastError !== null);
    newer.goOnline();
    expect((await refused).lastError).toMatchObject({ code: 'PERSISTED_QUERY_ONLY' });
    await world.server.restart();
  });

  it('wait in the outbox, and not in the quarantine, while the server takes everything but the push', async () => {
    await world.server.restart({ trustedDocuments: { file: null, only: true } });
    const { hash } = (PushDocument as unknown as { readonly __meta__: { readonly hash: string } }).__meta__;
    const { NotingSocket } = notingSocket((sent) => (hash.endsWith(sent) ? backwards(sent) : sent));
    const ahead = await world.open({ WebSocket: NotingSocket });
    await live(ahead);
    const refused = reaches(ahead, ({ lastError, quarantined }) => lastError !== null || quarantined > 0);
    ahead.collection('trusted').create({ n: 1 }, { id: 'ahead' });
    expect(await refused).toMatchObject({ pending: 1, quarantined: 0, lastError: { code: 'PERSISTED_QUERY_ONLY' } });
    await world.server.restart();
    await world.settle(ahead);
    expect((await world.serverDocuments())['ahead']).toEqual({ n: 1 });
  });
});
