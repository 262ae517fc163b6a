import { setMaxListeners } from 'node:events';
import { createPubSub } from 'graphql-yoga';
import { changeBatch, upToDateMark } from '../change-batch.js';
import { servePlain } from '../plain-server.js';
import type { System } from '../system.js';
import { system as concord } from './concord.js';

/** One channel, an async iterator for each subscriber, and each event executed for each of them. */
function serve(): Promise<{ readonly url: string }> {
  const target = new EventTarget();
  setMaxListeners(0, target);
  const channel = createPubSub<{ change: [documentId: string, event: { readonly changes: object }] }>({ eventTarget: target });
  return servePlain({
    cached: false,
    onEdit: (replicaId, edit, revision) => channel.publish('change', edit.documentId, { changes: changeBatch(replicaId, edit, revision) }),
    changes: async function* ([id]) {
      yield { changes: upToDateMark };
      if (id !== undefined) yield* channel.subscribe('change', id);
    },
  });
}

/** What Concord's feed would be without its own way of sending. Its clients are Concord's. */
export const system: System = {
  title: 'plain graphql-ws stream',
  acknowledged: 'counted in memory, no document is kept',
  packages: [],
  workloads: ['W3'],
  postgres: false,
  serve,
  seed: () => Promise.resolve(),
  writer: (endpoint, id) => concord.writer(endpoint, id),
  subscribe: (endpoint, id, onChanges) => concord.subscribe!(endpoint, id, onChanges),
};
