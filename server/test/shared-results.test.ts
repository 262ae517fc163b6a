import { execute, parse, type ExecutionResult } from 'graphql';
import { describe, expect, it } from 'vitest';
import type { Counter, Cursor, DocumentId, PatchId, Position, PrincipalId, ReplicaId, Revision, WorkspaceId } from '@concord/core';
import { schema, type Context, type FeedEvent } from '@concord/schema';
import { createSharingSubscribe, isShared } from '../shared-results.js';

const event: FeedEvent = {
  type: 'ChangeBatch',
  changes: [
    {
      workspaceId: 'main' as WorkspaceId,
      position: 7 as Position,
      documentId: 'note-1' as DocumentId,
      revision: 3 as Revision,
      kind: 'PATCH',
      collection: 'notes "quoted"',
      title: null,
      replicaId: '0'.repeat(32) as ReplicaId,
      counter: 2 as Counter,
      patchId: 'p-1' as PatchId,
      principalId: 'ada' as PrincipalId,
      patch: [{ op: 'replace', path: '/title', value: 'Grüße 🦊 </script>' }],
      committedAt: new Date('2026-11-22T10:00:00.000Z'),
    },
  ],
  left: ['note-2' as DocumentId],
  cursor: '1.7' as Cursor,
  upToDate: true,
};

async function* eventsOf(): AsyncGenerator<FeedEvent> {
  yield await Promise.resolve(event);
}

const viewer = { principalId: 'ada' as PrincipalId, name: 'Ada', credential: { tokenId: null, expiresAt: null }, memberships: new Map([['main' as WorkspaceId, { workspaceId: 'main' as WorkspaceId, name: 'Main', role: 'VIEWER' as const, history: '', isDefault: true }]]) };
const contextValue = { viewer, newId: () => 'id', ports: { feed: { follow: () => eventsOf() } } } as unknown as Context;

async function firstResult(subscribe: ReturnType<typeof createSharingSubscribe>, document: ReturnType<typeof parse>, variableValues = {}): Promise<ExecutionResult> {
  const results = await subscribe({ schema, document, contextValue, variableValues });
  if (!(Symbol.asyncIterator in results)) throw new Error(JSON.stringify(results));
  for await (const result of results) return result;
  throw new Error('no result');
}

const plainly = async (document: ReturnType<typeof parse>, variableValues = {}): Promise<string> => JSON.stringify(await execute({ schema, document, contextValue, variableValues, rootValue: event }));

const shared = {
  'as the client asks': `subscription Changes($after: Cursor, $ids: [ID!]) { changes(after: $after, ids: $ids) { __typename ... on ChangeBatch { rows left cursor upToDate } ... on Resync { reason } } }`,
  'change by change': `subscription { changes { ... on ChangeBatch { changes { documentId revision patch committedAt } left cursor } } }`,
  'with aliases': `subscription { feed: changes { kind: __typename ... on ChangeBatch { rows: changes { at: position to: patch again: patch } done: upToDate } } }`,
  'with fragments in fragments': `subscription { ...Feed } fragment Feed on Subscription { changes { ...Batch } } fragment Batch on ChangeBatch { changes { ...Row ...Row } } fragment Row on Change { author title collection ... { counter } }`,
};

const notShared = {
  'a directive in the batch': `subscription Changes($short: Boolean!) { changes { ... on ChangeBatch { cursor left @skip(if: $short) } } }`,
};

describe('Shared results', () => {
  it.each(Object.entries(shared))('are what plain execution gives, and one object for all: %s', async (_name, text) => {
    const subscribe = createSharingSubscribe(schema);
    const document = parse(text);
    const one = await firstResult(subscribe, document);
    const other = await firstResult(subscribe, document, { after: '1.2' });
    if (!isShared(one)) throw new Error('not shared');
    expect(other).toBe(one);
    expect(one.stringify()).toBe(await plainly(document));
    expect(one.bytes.toString()).toBe(one.stringify());
  });

  it('are not taken over by another selection of the same event', async () => {
    const subscribe = createSharingSubscribe(schema);
    const texts = await Promise.all(Object.values(shared).map(async (text) => JSON.stringify(await firstResult(subscribe, parse(text)))));
    expect(new Set(texts).size).toBe(texts.length);
  });

  it.each(Object.entries(notShared))('are not made where a variable decides what is selected: %s', async (_name, text) => {
    const subscribe = createSharingSubscribe(schema);
    const document = parse(text);
    for (const short of [true, false]) {
      const result = await firstResult(subscribe, document, { short });
      expect(isShared(result)).toBe(false);
      expect(JSON.stringify(result)).toBe(await plainly(document, { short }));
    }
  });

  it('leave errors to each subscriber: a change without its cursor fails for both', async () => {
    const subscribe = createSharingSubscribe(schema);
    const broken = { ...contextValue, ports: { feed: { follow: () => brokenEvents() } } } as unknown as Context;
    const document = parse('subscription { changes { ... on ChangeBatch { cursor } } }');
    for (let reader = 0; reader < 2; reader++) {
      const results = await subscribe({ schema, document, contextValue: broken });
      if (!(Symbol.asyncIterator in results)) throw new Error(JSON.stringify(results));
      for await (const result of results) {
        expect(isShared(result)).toBe(false);
        expect(result.errors).toHaveLength(1);
      }
    }
  });
});

async function* brokenEvents() {
  yield await Promise.resolve({ ...event, cursor: null });
}
