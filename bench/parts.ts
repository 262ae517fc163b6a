import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import type { EmbeddedPostgres } from '../server/postgres/embedded.js';
import { ended } from '../test/server-process.js';
import { repeat } from './acknowledged-edits.js';
import { ConcordConnection } from './concord-connection.js';
import type { PartsAnswer, StatementOrder } from './parts-server.js';
import { cpuSeconds } from './processes.js';
import type { Endpoint } from './system.js';

const program = fileURLToPath(new URL('./parts-server.ts', import.meta.url));
const database = 'parts';
const warmUpSeconds = 0.7;

/** The load that the parts are to carry: as many edits to a message, and to a statement, as Concord's had. */
export interface PartsLoad {
  readonly clients: number;
  /** Edits that a client keeps under way. */
  readonly inFlight: number;
  readonly editsPerMessage: number;
  readonly editsPerStatement: number;
}

/** Microseconds of CPU. */
export interface PartsCost {
  /** Of the server, for a graphql-ws message with its answer. */
  readonly message: number;
  /** Of node, for a patch in a statement. */
  readonly node: number;
  /** Of PostgreSQL, for a patch in a statement. */
  readonly postgres: number;
}

export interface Parts {
  /** Each part carries the load by itself for so long, nothing else of this run being busy. */
  measure(load: PartsLoad, seconds: number): Promise<PartsCost>;
  stop(): Promise<void>;
}

/**
 * The parts of a server for durable edits, each by itself: a graphql-ws server that answers the same messages from memory, with
 * parsed and validated documents (bench/plain-server.ts), and the minimal recordset statement, one after the other on one connection,
 * in a database of its own on the PostgreSQL given (bench/recordset.ts). Both run in one process that is Concord's in nothing. Each client
 * has one document, as in the load, and a statement writes each of its documents once.
 */
export async function startParts({ connectionString, pid: databasePid }: Pick<EmbeddedPostgres, 'connectionString' | 'pid'>): Promise<Parts> {
  const child = fork(program, [await emptyDatabase(connectionString)], {
    execArgv: ['--import', 'tsx'],
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const first = await told(child);
  if (!('url' in first)) throw new Error('The parts told no address.');
  const pid = child.pid!;
  const endpoint: Endpoint = { url: first.url, token: '', serverPid: pid, databasePid };

  /** Microseconds that a process spends on each of what `act` tells to have done. */
  async function spent(pids: readonly number[], act: () => Promise<number>): Promise<readonly number[]> {
    const before = pids.map((id) => cpuSeconds(id));
    const times = await act();
    return pids.map((id, index) => ((cpuSeconds(id) - before[index]!) * 1e6) / times);
  }

  async function messages({ clients, inFlight, editsPerMessage }: PartsLoad, seconds: number): Promise<number> {
    const connections = Array.from({ length: clients }, () => new ConcordConnection(endpoint));
    const atOnce = Math.max(1, Math.round(inFlight / editsPerMessage));
    let counter = 0;
    const workers = connections.flatMap((connection, client) =>
      Array.from({ length: atOnce }, () => async () => {
        const edits = Array.from({ length: editsPerMessage }, () => ({ documentId: `parts-${client}`, counter: ++counter, base: counter, action: { patch: [{ op: 'replace', path: '/views', value: counter }] } }));
        await connection.push(edits);
      }),
    );
    await repeat(warmUpSeconds, workers);
    const [cost] = await spent([pid], async () => (await repeat(seconds, workers)).length);
    for (const connection of connections) connection.close();
    return cost!;
  }

  async function statements(order: StatementOrder): Promise<number> {
    const answered = told(child);
    child.send(order);
    const answer = await answered;
    if (!('committed' in answer)) throw new Error('The parts told no number of patches.');
    return answer.committed;
  }

  return {
    async measure(load, seconds) {
      const message = await messages(load, seconds);
      const patches = load.editsPerStatement;
      const documents = Math.min(load.clients, patches);
      await statements({ patches, documents, seconds: warmUpSeconds });
      const [node, postgres] = await spent([pid, databasePid], () => statements({ patches, documents, seconds }));
      return { message, node: node!, postgres: postgres! };
    },
    stop: async () => void (await ended(child)),
  };
}

/** Its next message. Rejects when it ends instead. */
async function told(child: ChildProcess): Promise<PartsAnswer> {
  const over = new AbortController();
  const exit = once(child, 'exit', { signal: over.signal }).then(() => Promise.reject(new Error('The parts have ended.')));
  try {
    const [answer] = (await Promise.race([once(child, 'message', { signal: over.signal }), exit])) as [PartsAnswer];
    return answer;
  } finally {
    over.abort();
  }
}

async function emptyDatabase(connectionString: string): Promise<string> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  await client.query(`CREATE DATABASE ${database}`);
  await client.end();
  const own = new URL(connectionString);
  own.pathname = `/${database}`;
  return own.href;
}
