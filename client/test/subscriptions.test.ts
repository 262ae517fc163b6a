import { gql } from '@urql/core';
import type { DocumentNode } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChangesDocument, WatchConflictsDocument, WatchDocumentDocument, type Replica } from '../index.js';
import { CutProxy } from './cut-proxy.js';
import { live, reaches, until, World } from './world.js';

let world: World;
let proxy: CutProxy;
beforeAll(async () => {
  world = await World.start();
  proxy = await CutProxy.before(world.server.url);
});
afterAll(async () => {
  await world.close();
  await proxy.close();
});

interface Followed {
  readonly seen: string[];
  readonly errors: unknown[];
  stop(): void;
}

/** The documents whose changes a subscription brings, in order. */
function follow(replica: Replica, document: DocumentNode = ChangesDocument, variables: Record<string, unknown> = {}): Followed {
  const seen: string[] = [];
  const errors: unknown[] = [];
  const subscription = replica.client.subscription<Record<string, { rows?: string[][]; changes?: { documentId: string }[] }>>(document, variables).subscribe(({ data, error }) => {
    if (error !== undefined) errors.push(error.networkError ?? error.graphQLErrors);
    for (const event of Object.values(data ?? {})) {
      for (const row of event.rows ?? []) seen.push(row[0]!);
      for (const change of event.changes ?? []) seen.push(change.documentId);
    }
  });
  return { seen, errors, stop: () => subscription.unsubscribe() };
}

const create = (replica: Replica, id: string) => replica.collection('notes').create({ n: 0 }, { id });
const holds = (check: () => boolean): Promise<void> => until(() => Promise.resolve(check()));

describe('a subscription through the client of a replica', () => {
  it('that was made before the connection brings everything from then on', async () => {
    const [here, there] = [await world.open({ online: false }), await world.open()];
    create(there, 'early-0');
    await world.settle(there);
    const first = follow(here);
    here.goOnline();
    await live(here);
    create(there, 'early-1');
    await holds(() => first.seen.includes('early-1'));
    await here.goOffline();
    const second = follow(here);
    create(there, 'early-2');
    await world.settle(there);
    here.goOnline();
    await holds(() => first.seen.includes('early-2') && second.seen.includes('early-2'));
    expect(second.seen).toEqual(['early-2']);
    expect([...first.errors, ...second.errors]).toEqual([]);
    first.stop();
    second.stop();
  });

  it.each([
    ['with the operation of this package', ChangesDocument],
    ['that has neither a variable for the cursor nor asks for the next one', gql`subscription { all: changes { ... on ChangeBatch { changes { documentId } } } }`],
  ] as const)('misses nothing and repeats nothing when connections are cut and the server restarts, %s', async (name, document) => {
    const [here, there] = [await world.open({ url: proxy.url }), await world.open()];
    await Promise.all([live(here), live(there)]);
    const followed = follow(here, document);
    const { seen, errors } = followed;
    const made: string[] = [];
    const make = async (): Promise<void> => {
      const id = `${name.length}-${made.length}`;
      made.push(id);
      create(there, id);
      await world.settle(there);
    };
    await make();
    await holds(() => seen.length > 0);
    for (let round = 0; round < 3; round++) {
      proxy.cut();
      await make();
      await make();
      await holds(() => seen.includes(made.at(-1)!));
    }
    await world.server.stop();
    await reaches(here, ({ connection }) => connection !== 'live');
    await world.server.restart();
    await make();
    await holds(() => seen.includes(made.at(-1)!));
    expect(seen).toEqual(made.slice(made.indexOf(seen[0]!)));
    expect(errors).toEqual([]);
    followed.stop();
    await here.close();
  });

  it('of conflicts goes on behind the last one', async () => {
    const [here, a, b] = [await world.open({ url: proxy.url }), await world.open(), await world.open()];
    create(a, 'told');
    await world.settle(a, b, here);
    const lost: unknown[] = [];
    let started = false;
    const subscription = here.client.subscription(WatchConflictsDocument, { documentId: 'told' }).subscribe(({ data }) => {
      started = true;
      for (const conflict of data?.conflicts.conflicts ?? []) lost.push(conflict.lost);
    });
    await holds(() => started);
    for (const n of [1, 2]) {
      await b.goOffline();
      b.collection('notes').edit('told', [{ op: 'replace', path: '/n', value: -n }]);
      a.collection('notes').edit('told', [{ op: 'replace', path: '/n', value: n }]);
      await world.settle(a);
      proxy.cut();
      b.goOnline();
      await world.settle(b, a);
      await holds(() => lost.length === n);
    }
    expect(lost).toEqual([1, 2]);
    subscription.unsubscribe();
    await here.close();
  });

  it('of a document tells it again, and one that is ended during an outage stays silent', async () => {
    const here = await world.open();
    create(here, 'watched');
    await world.settle(here);
    const seen: unknown[] = [];
    const subscription = here.client.subscription(WatchDocumentDocument, { id: 'watched' }).subscribe(({ data }) => seen.push((data?.document?.value as { n: number }).n));
    const other = follow(here);
    await holds(() => seen.length === 1);
    await here.goOffline();
    other.stop();
    await world.server.graphql('mutation { patchDocument(id: "watched", patch: [{ op: "inc", path: "/n", value: 5 }]) { __typename } }');
    here.goOnline();
    await holds(() => seen.at(-1) === 5);
    expect(other.seen).toEqual([]);
    subscription.unsubscribe();
  });

  it('ends with the error where waiting does not help', async () => {
    const here = await world.open();
    await live(here);
    const wrong = follow(here, ChangesDocument, { after: 'no cursor' });
    await holds(() => wrong.errors.length === 1);
    expect(JSON.stringify(wrong.errors[0])).toContain('CURSOR_INVALID');
    await here.goOffline();
    here.goOnline();
    await live(here);
    expect(wrong.errors).toHaveLength(1);

    const { errors } = follow(await world.open({ token: 'nobody.nothing' }));
    await holds(() => errors.length === 1);
    expect(errors[0]).toMatchObject({ code: 'UNAUTHENTICATED' });
  });
});
