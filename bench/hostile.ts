import { fork } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArguments, readCommandLine, UsageError, wholeNumber } from '../server/arguments.js';
import { ended, startServerProcess, type ServerProcess } from '../test/server-process.js';
import { ConcordConnection } from './concord-connection.js';
import { documentOf } from './documents.js';
import { hostileCases, type HostileCase, type Kind } from './hostile-cases.js';
import { provenance } from './machine.js';
import { markdownTable } from './markdown-table.js';
import { residentKiB } from './processes.js';

const healthLimitMs = 50;
const editLimitMs = 250;
const loops = 8;

const usage = `Usage: npm run bench:hostile -- [options]        (after npm run build)

What one hostile caller costs everybody else. A server with the default limits, on its own PostgreSQL; ${loops} loops in a process of
their own do one of the worst things a caller can do, and an honest client beside them asks for /health and edits a document. It must
see /health within ${healthLimitMs} ms and its edits acknowledged within ${editLimitMs} ms, 99 times in 100. First the same without any load: where a
busy machine is slower than that by itself, a case may take half as much again.
Everything stays on this machine.
Exit status: 0, 1 when a case is too slow or an honest edit was refused, 2 for wrong arguments.

Options:
  --seconds N      for each case (10)
  --only TEXT      cases whose name or kind (anonymous, VIEWER, EDITOR) contains the text
  --help           this text
`;

interface Options {
  readonly seconds: number;
  readonly cases: readonly HostileCase[];
}

/** @throws UsageError that says what is wrong. */
function readOptions(args: readonly string[]): Options {
  const { values } = parseArguments({ args, options: { seconds: { type: 'string', default: '10' }, only: { type: 'string', default: '' } } });
  const cases = hostileCases.filter(({ name, kind }) => `${kind} ${name}`.includes(values.only));
  if (cases.length === 0) throw new UsageError(`--only ${values.only} leaves no case; there are:\n${hostileCases.map(({ kind, name }) => `  ${kind}: ${name}`).join('\n')}`);
  return { seconds: wholeNumber('--seconds', values.seconds, 1, 60), cases };
}

interface Seen {
  readonly health: readonly number[];
  readonly edits: readonly number[];
  readonly failed: readonly string[];
}

/** Asks at fixed times, whatever the answers take. What waits behind a late answer is counted as late too. */
async function sample(everyMs: number, until: number, once: () => Promise<void>): Promise<{ readonly waits: readonly number[]; readonly failed: readonly string[] }> {
  const waits: number[] = [];
  const failed: string[] = [];
  let due = performance.now();
  while (due < until) {
    await delay(Math.max(0, due - performance.now()));
    // Late by a turn of this process, not by the server.
    const asked = Math.max(due, performance.now() - 5);
    try {
      await once();
    } catch (error) {
      failed.push(error instanceof Error ? error.message : String(error));
    }
    const answered = performance.now();
    for (let since = asked; since < answered; since += everyMs) waits.push(answered - since);
    due = Math.max(due + everyMs, answered);
  }
  return { waits, failed };
}

class HonestClient {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 1 });
  private counter = 0;

  private constructor(
    private readonly url: string,
    private readonly connection: ConcordConnection,
    private readonly documentId: string,
  ) {}

  static async open(node: ServerProcess, token: string): Promise<HonestClient> {
    const connection = new ConcordConnection({ url: node.url, token, serverPid: node.pid, databasePid: null });
    const documentId = `honest-${process.pid}`;
    const client = new HonestClient(node.url, connection, documentId);
    await connection.push([{ documentId, counter: ++client.counter, base: 0, action: { create: { collection: 'honest', title: '', value: documentOf(documentId) } } }]);
    return client;
  }

  async watch(seconds: number): Promise<Seen> {
    const until = performance.now() + seconds * 1_000;
    const [health, edits] = await Promise.all([sample(20, until, () => this.health()), sample(50, until, () => this.edit())]);
    return { health: health.waits, edits: edits.waits, failed: [...health.failed, ...edits.failed] };
  }

  close(): void {
    this.connection.close();
    this.agent.destroy();
  }

  private health(): Promise<void> {
    return new Promise((resolve, reject) => {
      get(new URL('/health', this.url), { agent: this.agent }, (response) => {
        response.resume();
        response.on('end', () => (response.statusCode === 200 ? resolve() : reject(new Error(`/health: ${response.statusCode}`))));
      }).on('error', reject);
    });
  }

  private async edit(): Promise<void> {
    const counter = ++this.counter;
    await this.connection.push([{ documentId: this.documentId, counter, base: counter - 1, action: { patch: [{ op: 'replace', path: '/views', value: counter }] } }]);
  }
}

const percentile = (values: readonly number[], share: number): number => [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN;
const shown = (ms: number): string => ms.toFixed(ms < 10 ? 1 : 0);

/** The outcomes of the load, once its process has ended. */
async function load(hostile: HostileCase, url: string, token: string | null, seconds: number): Promise<Record<string, number>> {
  const file = fileURLToPath(new URL('hostile-load.ts', import.meta.url));
  const child = fork(file, [String(hostileCases.indexOf(hostile)), url, token ?? '-', String(seconds), String(loops)], { execArgv: ['--import', import.meta.resolve('tsx')] });
  let outcomes: Record<string, number> = {};
  const late = setTimeout(() => child.kill('SIGKILL'), seconds * 1_000 + 40_000);
  await new Promise<void>((resolve, reject) => {
    child.on('message', (message) => {
      if (typeof message === 'object' && message !== null) outcomes = message as Record<string, number>;
    });
    child.once('exit', () => resolve());
    child.once('error', reject);
  });
  clearTimeout(late);
  return outcomes;
}

async function graphql(url: string, token: string, query: string, variables: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` }, body: JSON.stringify({ query, variables }) });
  const { data, errors } = (await response.json()) as { data?: Record<string, unknown>; errors?: readonly { message: string }[] };
  if (errors !== undefined || data === undefined) throw new Error(errors?.map(({ message }) => message).join('; ') ?? 'no data');
  return data;
}

async function newToken(url: string, owner: string, role: 'VIEWER' | 'EDITOR'): Promise<string> {
  const data = await graphql(url, owner, 'mutation ($role: Role!) { createToken(grant: { name: "bench", role: $role }) { token } }', { role });
  return (data['createToken'] as { token: string }).token;
}

async function seed(url: string, token: string): Promise<void> {
  const replicaId = 'b'.repeat(32);
  for (let from = 0; from < 5_000; from += 500) {
    const edits = Array.from({ length: 500 }, (_, index) => ({ documentId: `kb-${from + index}`, patchId: `seed-${from + index}`, counter: 1, clock: { epoch: 1, base: 0 }, action: { create: { collection: 'seed', value: documentOf(`kb-${from + index}`) } } }));
    await graphql(url, token, 'mutation ($replicaId: ID!, $edits: [EditInput!]!) { push(replicaId: $replicaId, edits: $edits) { verdicts { __typename } } }', { replicaId, edits });
  }
}

async function main(): Promise<number> {
  const told = readCommandLine(usage, readOptions);
  if ('status' in told) return told.status;
  if (!existsSync(fileURLToPath(new URL('../server/dist/main.js', import.meta.url)))) {
    process.stderr.write('Concord is not built yet. Run: npm run build\n');
    return 2;
  }
  const folder = mkdtempSync(join(tmpdir(), 'concord-hostile-'));
  const before = provenance();
  const node = await startServerProcess({ from: 'dist', environment: { CONCORD_DATA: folder, NODE_ENV: 'production', TRUST_PROXY: '1', LOG_LEVEL: 'fatal' }, detached: true });
  try {
    const owner = node.token!;
    const tokens: Readonly<Record<Kind, () => Promise<string | null>>> = { anonymous: () => Promise.resolve(null), VIEWER: () => newToken(node.url, owner, 'VIEWER'), EDITOR: () => newToken(node.url, owner, 'EDITOR') };
    await seed(node.url, await newToken(node.url, owner, 'EDITOR'));
    const honest = await HonestClient.open(node, await newToken(node.url, owner, 'EDITOR'));
    process.stdout.write(`${before}\n\n`);
    const rows: string[][] = [];
    let slow = 0;
    let idle: { readonly health: number; readonly edits: number } | undefined;
    const note = (kind: string, name: string, seen: Seen, outcomes: Record<string, number> | null): void => {
      const [health, edits] = [percentile(seen.health, 0.99), percentile(seen.edits, 0.99)];
      idle ??= { health, edits };
      const within = health < healthLimitMs && edits < editLimitMs;
      const asIdle = health < Math.max(healthLimitMs, 1.5 * idle.health) && edits < Math.max(editLimitMs, 1.5 * idle.edits);
      const verdict = seen.failed.length > 0 ? `FAILED (${seen.failed.length}: ${seen.failed[0]})` : within ? 'holds' : asIdle ? 'no slower than without load' : 'TOO SLOW';
      if (outcomes !== null && (!asIdle || seen.failed.length > 0)) slow += 1;
      const came = Object.entries(outcomes ?? {}).map(([outcome, count]) => `${outcome} ${count}`).join(', ');
      rows.push([kind, name, `${shown(percentile(seen.health, 0.5))} / ${shown(health)}`, `${shown(percentile(seen.edits, 0.5))} / ${shown(edits)}`, String(Math.round(residentKiB(node.pid) / 1024)), outcomes === null ? '–' : verdict, came]);
      process.stdout.write(`${kind}: ${name}: ${rows.at(-1)!.slice(2).join(' · ')} · load ${loadavg()[0]!.toFixed(1)}\n`);
    };
    note('nobody', 'no load', await honest.watch(told.command.seconds), null);
    for (const hostile of told.command.cases) {
      const token = await tokens[hostile.kind]();
      const [seen, outcomes] = await Promise.all([delay(1_000).then(() => honest.watch(told.command.seconds)), load(hostile, node.url, token, told.command.seconds + 1)]);
      note(hostile.kind, hostile.name, seen, outcomes);
      // What is still at work does not belong to the next case.
      await delay(1_000);
    }
    honest.close();
    process.stdout.write(`\n${markdownTable(['caller', 'what it does', '/health p50 / p99, ms', 'edit p50 / p99, ms', 'server, MiB', 'verdict', 'what it was answered'], rows)}\n`);
    return slow === 0 ? 0 : 1;
  } finally {
    await ended(node.process);
    rmSync(folder, { recursive: true, force: true });
  }
}

process.exitCode = await main();
