import { servePlain } from './plain-server.js';
import { openRecordset } from './recordset.js';

/** What bench/parts.ts asks for: statements of so many patches over so many documents, one after the other, for so long. */
export interface StatementOrder {
  readonly patches: number;
  readonly documents: number;
  readonly seconds: number;
}

/** To the first, and to each order when it is done. */
export type PartsAnswer = { readonly url: string } | { readonly committed: number };

/**
 * `node --import tsx bench/parts-server.ts <postgres>`, forked: the parts of a server for durable edits, each by itself, in a process
 * of their own as Concord's server is. Tells the address of the plain graphql-ws server, then obeys until it is ended.
 */
const [connectionString] = process.argv.slice(2);
if (connectionString === undefined) throw new Error('give the connection string of an empty database');
const answer = (message: PartsAnswer) => process.send?.(message);

const recordset = await openRecordset(connectionString);
process.on('message', (order) => void statements(order as StatementOrder));
for (const end of ['disconnect', 'SIGTERM'] as const) process.on(end, () => process.exit(0));
answer(await servePlain({ cached: true }));

async function statements({ patches, documents, seconds }: StatementOrder): Promise<void> {
  let committed = 0;
  for (const end = performance.now() + seconds * 1000; performance.now() < end; committed += patches) await recordset.commit(patches, documents);
  answer({ committed });
}
