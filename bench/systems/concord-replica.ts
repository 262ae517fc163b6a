import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openReplica, type Replica as ConcordReplica } from '@concord/client';
import { PlainWebSocket } from '../concord-connection.js';
import type { JsonObject } from '../documents.js';
import type { Endpoint, System, Writer } from '../system.js';
import { system as concord } from './concord.js';

/**
 * The whole client as an app has it: each edit is a transaction of its SQLite file before it is sent, and is done when its change
 * has come back and is in the file. Edits are sent as they were made, not folded.
 */
async function writer({ url, token }: Endpoint, id: string): Promise<Writer> {
  const folder = mkdtempSync(join(tmpdir(), 'concord-writer-'));
  const replica = await openReplica({ url, token, database: join(folder, 'replica.db'), filter: { ids: [id] }, squashFrom: 0, WebSocket: PlainWebSocket });
  await replica.settled({ timeoutMs: 30_000 });
  const documents = replica.collection<JsonObject>('bench');
  const done = returned(replica);
  return {
    edit(edit) {
      if (edit.kind !== 'views') throw new Error('only edits of its own document are measured here');
      documents.edit(id, [{ op: 'replace', path: '/views', value: edit.n }]);
      return done();
    },
    value: () => replica.get<JsonObject>(id)!.value,
    async close() {
      await replica.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Call it after each edit: it resolves when that edit has left the outbox, which it does in order. */
function returned(replica: ConcordReplica): () => Promise<void> {
  const waiting: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = [];
  replica.onStatus(({ pending, quarantined, lastError }) => {
    if (quarantined > 0) for (const { reject } of waiting.splice(0)) reject(new Error(`an edit was refused: ${lastError?.message ?? ''}`));
    for (const { resolve } of waiting.splice(0, Math.max(0, waiting.length - pending))) resolve();
  });
  return () => new Promise((resolve, reject) => waiting.push({ resolve, reject }));
}

export const system: System = {
  ...concord,
  title: 'Concord, the whole client on disk',
  acknowledged: 'in its SQLite file at once, then committed in PostgreSQL and back',
  workloads: ['W1', 'W1p'],
  writer,
};
