import { request } from 'node:http';
import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { PlainWebSocket } from './concord-connection.js';

export type Kind = 'anonymous' | 'VIEWER' | 'EDITOR';

/** Where the load goes, and as whom. */
export interface Target {
  readonly url: string;
  /** Null: nobody. */
  readonly token: string | null;
  /** Of `performance.now()`. */
  readonly until: number;
}

/** One of the worst things a caller can do, again and again until the time is over. Returns what came of it. */
export interface HostileCase {
  readonly name: string;
  readonly kind: Kind;
  readonly run: (target: Target, told: (outcome: string) => void) => Promise<void>;
}

const timeoutMs = 15_000;
/** Even where nothing is refused, a loop sends no more than this. */
const maxRounds = 5_000;

async function repeat(target: Target, told: (outcome: string) => void, round: () => Promise<string>): Promise<void> {
  for (let rounds = 0; rounds < maxRounds && performance.now() < target.until; rounds++) {
    const outcome = await round().catch((error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : 'failed'));
    told(outcome);
    // A hostile caller does not wait for long, but it does not spend its own processor on refusals either.
    if (outcome !== 'OK') await delay(2);
  }
}

/** Sends a body and returns the code of the first error, or OK. `leaveMs`: hangs up after so long. */
function post({ url, token }: Target, body: string | Buffer, leaveMs?: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...(token === null ? {} : { authorization: `Bearer ${token}` }) } }, (response) => {
      let head = '';
      response.on('data', (chunk: Buffer) => (head = head.length > 4_096 ? head : head + chunk.toString()));
      response.on('end', () => resolve(/"code":"(\w+)"/.exec(head)?.[1] ?? 'OK'));
      response.on('error', reject);
    });
    sent.setTimeout(timeoutMs, () => sent.destroy(Object.assign(new Error('no answer'), { code: 'TIMEOUT' })));
    sent.on('error', (error) => (leaveMs === undefined ? reject(error) : resolve('left')));
    sent.end(body);
    if (leaveMs !== undefined) setTimeout(() => sent.destroy(), leaveMs);
  });
}

const postAgain = (body: () => string | Buffer, leaveMs?: number): HostileCase['run'] => (target, told) => repeat(target, told, () => post(target, body(), leaveMs));

const query = (text: string, variables: unknown = {}): string => JSON.stringify({ query: text, variables });
/** Makes a text one that the server has not seen. */
const unique = (): string => `#${randomBytes(6).toString('hex')}\n`;

const literals = query(`{ documents(ids: [${'1 '.repeat(199_000)}]) { nodes { id } } }`);
const fields = query(`{ viewer { ${'id '.repeat(190_000)} } }`);
const nested = `{"query":"{ viewer { id } }","variables":{"x":${'['.repeat(2_240_000)}${']'.repeat(2_240_000)}}}`;
const emptyLists = (edits: number): string => `{"query":${JSON.stringify(pushText)},"variables":{"replicaId":"${randomBytes(16).toString('hex')}","edits":[${Array.from({ length: edits }, () => editOf(`{"patch":[{"op":"replace","path":"/hostile","value":[${'[],'.repeat(80_000)}0]}]}`)).join()}]}}`;
const pushText = 'mutation ($replicaId: ID!, $edits: [EditInput!]!) { push(replicaId: $replicaId, edits: $edits) { verdicts { __typename } } }';
const editOf = (action: string): string => `{"documentId":"hostile-${randomUUID()}","patchId":"${randomUUID()}","counter":1,"clock":{"epoch":1,"base":0},"action":${action}}`;
const fullPush = (): string => `{"query":${JSON.stringify(pushText)},"variables":{"replicaId":"${randomBytes(16).toString('hex')}","edits":[${Array.from({ length: 450 }, () => editOf(`{"create":{"collection":"hostile","value":{"text":"${'x'.repeat(8_900)}"}}}`)).join()}]}}`;
const conditions = (from: number) => Array.from({ length: 100 }, (_, index) => ({ path: `/tags/${(from + index) % 7}`, operator: index % 2 === 0 ? 'NOT_EQUALS' : 'ABSENT', value: `none-${from + index}` }));
const slowRead = (): string => query(`query ($where: [ConditionInput!]) { documents(where: $where, first: 1000, orderBy: { field: VALUE, path: "/body", descending: true }) { nodes { id } } }`, { where: conditions(Math.floor(Math.random() * 1_000_000)).map((condition) => (condition.operator === 'ABSENT' ? { path: condition.path, operator: 'NOT_EQUALS', value: condition.value } : condition)) });

/** Opens a socket that says hello (with the token, where there is one) and hands it on once it is acknowledged; null: it was not. */
function openSocket({ url, token }: Target): Promise<WebSocket | null> {
  return new Promise((resolve) => {
    const socket = new PlainWebSocket(url.replace(/^http/, 'ws'), 'graphql-transport-ws');
    socket.on('error', () => resolve(null));
    socket.on('close', () => resolve(null));
    socket.once('message', () => resolve(socket));
    socket.once('open', () => socket.send(JSON.stringify({ type: 'connection_init', payload: token === null ? {} : { Authorization: `Bearer ${token}` } })));
  });
}

/** Sends a large first message over and over, each on a socket of its own. */
async function largeHello(target: Target, told: (outcome: string) => void): Promise<void> {
  const message = JSON.stringify({ type: 'connection_init', payload: { x: 'x'.repeat(4_000_000) } });
  await repeat(target, told, () =>
    new Promise((resolve) => {
      const socket = new PlainWebSocket(target.url.replace(/^http/, 'ws'), 'graphql-transport-ws');
      socket.once('open', () => socket.send(message, () => undefined));
      socket.once('close', (code) => resolve(`closed ${code}`));
      socket.once('error', () => resolve('refused'));
    }),
  );
}

/** Opens sockets and says nothing. */
async function idleSockets(target: Target, told: (outcome: string) => void): Promise<void> {
  const sockets: WebSocket[] = [];
  await repeat(target, told, async () => {
    // 8 loops: some thousand sockets together.
    if (sockets.filter(({ readyState }) => readyState === WebSocket.OPEN).length >= 400) {
      await delay(50);
      return 'held';
    }
    return new Promise<string>((resolve) => {
      const socket = new PlainWebSocket(target.url.replace(/^http/, 'ws'), 'graphql-transport-ws');
      sockets.push(socket);
      socket.once('open', () => resolve('opened'));
      socket.once('error', () => resolve('refused'));
    });
  });
  for (const socket of sockets) socket.terminate();
}

/** Forty subscriptions with a hundred conditions, held until the end. */
async function subscriptions(target: Target, told: (outcome: string) => void): Promise<void> {
  const socket = await openSocket(target);
  if (socket === null) return told('refused');
  socket.on('message', (data: Buffer) => told(/"code":"(\w+)"/.exec(data.toString().slice(0, 4_096))?.[1] ?? 'OK'));
  for (let index = 0; index < 40; index++) {
    socket.send(JSON.stringify({ id: String(index), type: 'subscribe', payload: { query: 'subscription ($where: [ConditionInput!]) { changes(where: $where) { __typename } }', variables: { where: conditions(Math.floor(Math.random() * 1_000_000)) } } }));
  }
  await delay(Math.max(0, target.until - performance.now()));
  socket.terminate();
}

const aliases = (count: number, field: string): string => Array.from({ length: count }, (_, index) => `a${index}: ${field}`).join(' ');

export const hostileCases: readonly HostileCase[] = [
  { name: 'a text of 199,000 literals', kind: 'anonymous', run: postAgain(() => literals) },
  { name: 'a field 190,000 times', kind: 'anonymous', run: postAgain(() => fields) },
  { name: '4.5 MB of nested lists as variables', kind: 'anonymous', run: postAgain(() => nested) },
  { name: 'new texts of 15 KiB', kind: 'anonymous', run: postAgain(() => query(`${unique()}{ ${aliases(200, 'viewer { id name workspaces { id } }')} }`)) },
  { name: 'wrong tokens', kind: 'anonymous', run: (target, told) => postAgain(() => query('{ viewer { id } }'))({ ...target, token: `${randomBytes(9).toString('hex')}.${randomBytes(24).toString('base64url')}` }, told) },
  { name: '4 MB as first message of a socket', kind: 'anonymous', run: largeHello },
  { name: 'sockets that say nothing', kind: 'anonymous', run: idleSockets },
  { name: 'reads with 100 conditions, sorted by value', kind: 'VIEWER', run: postAgain(slowRead) },
  { name: 'the same, and hangs up at once', kind: 'VIEWER', run: postAgain(slowRead, 30) },
  { name: '320 subscriptions with 100 conditions', kind: 'VIEWER', run: subscriptions },
  { name: 'new texts of 60 KiB', kind: 'VIEWER', run: postAgain(() => query(`${unique()}${' '.repeat(48_000)}{ viewer { ${'id @include(if: true) '.repeat(450)} ${'id '.repeat(500)} } }`)) },
  { name: 'fifteen large pages in one operation', kind: 'VIEWER', run: postAgain(() => query(`{ ${aliases(15, 'documents(first: 1000) { nodes { id title value revision updatedAt } }')} }`)) },
  { name: 'pages within pages', kind: 'VIEWER', run: postAgain(() => query('{ documents(first: 1000) { nodes { id history(first: 100) { nodes { patch } } } } }')) },
  { name: 'pushes of 4 MiB', kind: 'EDITOR', run: postAgain(fullPush) },
  { name: '4.5 MB of nested lists as variables', kind: 'EDITOR', run: postAgain(() => nested) },
  { name: 'pushes of 1.2 million empty lists', kind: 'EDITOR', run: postAgain(() => emptyLists(15)) },
  { name: 'tokens and workspaces, fifteen at once', kind: 'EDITOR', run: postAgain(() => query(`mutation { ${aliases(8, 'createToken(label: "x") { id }')} b: createWorkspace(name: "x") { id } ${Array.from({ length: 6 }, (_, index) => `c${index}: createWorkspace(name: "x") { id }`).join(' ')} }`)) },
];
