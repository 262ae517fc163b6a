import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { parseArguments, readCommandLine } from '../server/arguments.js';
import { ConcordConnection } from './concord-connection.js';
import { cpuSeconds } from './processes.js';
import { startServer } from './servers.js';
import { loadSystem, type Endpoint } from './system.js';
import { ascending, percentile } from './workload.js';

const usage = `Usage: npm run bench:compression        (after npm run build)

Measures what compression saves and costs: a page of a snapshot over HTTP (plain, gzip, brotli) and over WebSocket
(permessage-deflate off and on), and changes of two sizes as a subscriber gets them. Prints a Markdown table.
Exit status: 0, 1 when a run failed, 2 for wrong arguments.
`;

const documents = 1000;
const rounds = 20;
const changes = 50;
const pageQuery = `{ snapshot(first: ${documents}) { documents { id collection title value revision } cursor } }`;
const feed = `subscription { changes { ... on ChangeBatch { changes { documentId revision patch } cursor upToDate } } }`;

interface Measured {
  readonly what: string;
  readonly how: string;
  readonly kB: number;
  readonly p50: number;
  readonly serverMs: number;
}

/** Text that compresses as prose does: words by a Zipf law, not the same sentence again and again. Seeded, so every run has the same. */
function prose(seed: number, bytes: number): string {
  let state = seed * 2_654_435_761 + 1;
  const random = () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
  let text = '';
  while (text.length < bytes) {
    const rank = Math.floor(Math.exp(random() * Math.log(4000)));
    text += `${(rank * 7919).toString(36)}${'aeiou'[rank % 5]!}${((rank * 104_729) % 1296).toString(36)} `;
  }
  return text.slice(0, bytes);
}

/** Runs something again and again; the CPU is the server's, without its database's. */
async function measured(endpoint: Endpoint, what: string, how: string, once: () => Promise<number>): Promise<Measured> {
  await once();
  const waits: number[] = [];
  let bytes = 0;
  const cpu = cpuSeconds(endpoint.serverPid, { below: false });
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    bytes = await once();
    waits.push(performance.now() - start);
  }
  const serverMs = ((cpuSeconds(endpoint.serverPid, { below: false }) - cpu) * 1000) / rounds;
  return { what, how, kB: bytes / 1000, p50: percentile(ascending(waits), 0.5), serverMs };
}

/** Bytes of the body of one page as they came. */
function pageOverHttp({ url, token }: Endpoint, encoding: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'accept-encoding': encoding } }, (answer) => {
      const got = answer.headers['content-encoding'] ?? 'identity';
      if (answer.statusCode !== 200 || got !== encoding) return reject(new Error(`asked for ${encoding}, got ${answer.statusCode} with ${got}`));
      let bytes = 0;
      answer.on('data', (chunk: Buffer) => (bytes += chunk.length)).on('end', () => resolve(bytes)).on('error', reject);
    });
    sent.on('error', reject).end(JSON.stringify({ query: pageQuery }));
  });
}

/** A graphql-ws socket that counts what comes in, by hand: the bytes are those of the stream, compressed or not. */
class CountingSocket {
  private constructor(private readonly socket: WebSocket) {}

  static async open({ url, token }: Endpoint, compressed: boolean): Promise<CountingSocket> {
    const socket = new WebSocket(url.replace(/^http/, 'ws'), 'graphql-transport-ws', { perMessageDeflate: compressed });
    await once(socket, 'open');
    const acknowledged = once(socket, 'message');
    socket.send(JSON.stringify({ type: 'connection_init', payload: { Authorization: `Bearer ${token}` } }));
    await acknowledged;
    return new CountingSocket(socket);
  }

  /** Sends an operation and returns the bytes that came until `isLast` says so of a message. */
  run(id: string, query: string, isLast: (text: string) => boolean, begun: () => void = () => undefined): Promise<number> {
    const before = this.bytesRead;
    return new Promise((resolve, reject) => {
      const onMessage = (data: Buffer) => {
        const text = data.toString();
        if (text.includes('"type":"error"') || text.includes('"errors"')) return reject(new Error(text.slice(0, 500)));
        if (text.includes('"upToDate":true')) begun();
        if (!isLast(text)) return;
        this.socket.off('message', onMessage);
        resolve(this.bytesRead - before);
      };
      this.socket.on('message', onMessage);
      this.socket.send(JSON.stringify({ id, type: 'subscribe', payload: { query } }));
    });
  }

  close(): void {
    this.socket.close();
  }

  private get bytesRead(): number {
    return (this.socket as unknown as { readonly _socket: { readonly bytesRead: number } })._socket.bytesRead;
  }
}

async function pageOverSocket(endpoint: Endpoint, compressed: boolean): Promise<Measured> {
  const socket = await CountingSocket.open(endpoint, compressed);
  let number = 0;
  const result = await measured(endpoint, 'page of 1,000 documents of 1 kB', `WebSocket, ${compressed ? 'deflate' : 'plain'}`, () => socket.run(`page-${++number}`, pageQuery, (text) => text.includes('"type":"complete"')));
  socket.close();
  return result;
}

/** Bytes and time from a commit to its subscriber, a change at a time. */
async function changesOverSocket(endpoint: Endpoint, author: ConcordConnection, size: number, compressed: boolean): Promise<Measured> {
  const socket = await CountingSocket.open(endpoint, compressed);
  const id = `change-${size}-${compressed}`;
  const [made] = await author.push([{ documentId: id, counter: 1, base: 0, action: { create: { collection: 'bench', title: id, value: { text: '' } } } }]);
  let revision = made!;
  const waits: number[] = [];
  let arrived: () => void = () => undefined;
  let live: () => void = () => undefined;
  const isLive = new Promise<void>((resolve) => (live = resolve));
  let seen = 0;
  const all = socket.run('feed', feed, (text) => {
    if (!text.includes(`"documentId":"${id}"`)) return false;
    arrived();
    return ++seen === changes;
  }, live);
  await isLive;
  const cpu = cpuSeconds(endpoint.serverPid, { below: false });
  for (let change = 1; change <= changes; change++) {
    const here = new Promise<void>((resolve) => (arrived = resolve));
    const start = performance.now();
    [revision] = (await author.push([{ documentId: id, counter: change + 1, base: revision, action: { patch: [{ op: 'replace', path: '/text', value: prose(change, size) }] } }])) as [number];
    await here;
    waits.push(performance.now() - start);
  }
  const bytes = await all;
  const serverMs = ((cpuSeconds(endpoint.serverPid, { below: false }) - cpu) * 1000) / changes;
  socket.close();
  return { what: `change of ${size / 1000} kB, commit included`, how: `WebSocket, ${compressed ? 'deflate' : 'plain'}`, kB: bytes / changes / 1000, p50: percentile(ascending(waits), 0.5), serverMs };
}

const told = readCommandLine(usage, (args) => parseArguments({ args }).values);
if ('status' in told) process.exit(told.status);
const folder = mkdtempSync(join(tmpdir(), 'concord-bench-'));
const { endpoint, stop } = await startServer('concord', await loadSystem('concord'), folder, null);
try {
  const author = new ConcordConnection(endpoint);
  for (let start = 0; start < documents; start += 250) {
    await author.push(Array.from({ length: 250 }, (_, index) => ({ documentId: `page-${start + index}`, counter: 1, base: 0, action: { create: { collection: 'bench', title: `Page ${start + index}`, value: { text: prose(start + index, 900), views: index } } } })));
  }
  const rows: Measured[] = [];
  for (const encoding of ['identity', 'gzip', 'br']) rows.push(await measured(endpoint, 'page of 1,000 documents of 1 kB', `HTTP, ${encoding}`, () => pageOverHttp(endpoint, encoding)));
  for (const compressed of [false, true]) rows.push(await pageOverSocket(endpoint, compressed));
  for (const size of [400, 32_000]) for (const compressed of [false, true]) rows.push(await changesOverSocket(endpoint, author, size, compressed));
  author.close();
  process.stdout.write(`| what | how | kB | p50, ms | server, ms CPU |\n| --- | --- | --- | --- | --- |\n${rows.map(({ what, how, kB, p50, serverMs }) => `| ${what} | ${how} | ${kB.toFixed(1)} | ${p50.toFixed(1)} | ${serverMs.toFixed(1)} |`).join('\n')}\n`);
} finally {
  await stop();
  rmSync(folder, { recursive: true, force: true });
}
