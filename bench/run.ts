import { fork, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readArguments, usage, type Arguments } from './arguments.js';
import type { Answer, Order } from './drive.js';
import { readCommandLine } from '../server/arguments.js';
import { revision } from './machine.js';
import { installPeers } from './peers.js';
import { readRecorded, withRun, writeRecorded, type Cell } from './recorded.js';
import { circumstances, collect, markdown, table } from './results.js';
import { ended } from '../test/server-process.js';
import { startServer, type RunningServer } from './servers.js';
import { loadSystem, type System, type SystemName } from './system.js';
import { fullSizes, loadWorkload, quickSizes, type Outcome, type Workload } from './workload.js';

const drive = fileURLToPath(new URL('./drive.ts', import.meta.url));
const built = fileURLToPath(new URL('../server/dist/main.js', import.meta.url));
const resultsFile = fileURLToPath(new URL('./RESULTS.md', import.meta.url));
const seedTimeoutMs = 120_000;

const print = (text: string) => process.stdout.write(`${text}\n`);
const open = new Set<() => Promise<void>>();

async function main(): Promise<number> {
  const told = readCommandLine(usage, readArguments);
  if ('status' in told) return told.status;
  const read = told.command;
  if (!existsSync(built)) {
    process.stderr.write('Concord is not built yet. Run: npm run build\n');
    return 2;
  }
  installPeers();
  const folder = mkdtempSync(join(tmpdir(), 'concord-bench-'));
  const stop = async () => {
    for (const close of [...open].reverse()) await close().catch(() => undefined);
    rmSync(folder, { recursive: true, force: true });
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      print(`${signal}: ending the servers and drivers …`);
      void stop().finally(() => process.exit(130));
    });
  }
  const started = new Date();
  const commit = revision();
  const deadline = performance.now() + read.minutes * 60_000;
  const before = readRecorded();
  const cells: Cell[] = [];
  try {
    for (const name of read.workloads) {
      const measured = await measure(await loadWorkload(name), read, folder, deadline);
      if (measured.length === 0) continue;
      cells.push(...measured);
      print(table(name, measured, !read.quick));
      if (!read.report) continue;
      // After each workload: a run that is stopped leaves what it has measured.
      const recorded = withRun(before, await circumstances(started, commit, read.systems.filter((system) => cells.some((cell) => cell.name === system)), fullSizes, read.note), cells);
      writeRecorded(recorded);
      await writeFile(resultsFile, await markdown(recorded));
    }
  } finally {
    await stop();
  }
  if (read.report) print(`Written to ${resultsFile}`);
  return cells.some(({ failures }) => failures.length > 0) ? 1 : 0;
}

/** All systems of one workload: their servers run at the same time, their rounds take turns. After the deadline there is no second round. */
async function measure(workload: Workload, { systems, quick, rounds, profile }: Arguments, folder: string, deadline: number): Promise<readonly Cell[]> {
  const sizes = quick ? quickSizes : fullSizes;
  const taking: { readonly name: SystemName; readonly system: System; readonly server: RunningServer; readonly outcomes: Outcome[]; readonly failures: string[] }[] = [];
  for (const name of systems) {
    const system = await loadSystem(name);
    if (!system.workloads.includes(workload.name)) continue;
    const own = join(folder, `${workload.name}-${name}`);
    mkdirSync(own, { recursive: true });
    const server = await startServer(name, system, own, profile);
    open.add(server.stop);
    taking.push({ name, system, server, outcomes: [], failures: [] });
  }
  if (taking.length > 0) print(`\n${workload.name}: ${workload.title}`);
  for (let round = 0; round < rounds && (round === 0 || performance.now() < deadline); round++) {
    for (const { name, server, outcomes, failures } of taking) {
      if (failures.length > 0) continue;
      const order = { system: name, workload: workload.name, endpoint: server.endpoint, sizes, round } as const;
      try {
        if (round === 0 || workload.seedEachRound) await obeyed({ ...order, what: 'seed', folder }, seedTimeoutMs, null);
        const own = mkdtempSync(join(folder, 'driver-'));
        const outcome = await obeyed({ ...order, what: 'run', folder: own }, (sizes.seconds + 90) * 1000, profile);
        rmSync(own, { recursive: true, force: true });
        if (outcome === null) throw new Error('the driver gave no outcome');
        outcomes.push(outcome);
        print(`  ${name.padEnd(16)} ${outcome.metrics.filter(({ value }) => !Number.isNaN(value)).map(({ name: metric, value, unit }) => `${metric} ${Number(value.toPrecision(3))} ${unit}`).join(', ')}`);
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        failures.push(message);
        print(`  ${name.padEnd(16)} FAILED: ${message}`);
      }
    }
  }
  for (const { server } of taking) {
    open.delete(server.stop);
    await server.stop();
  }
  return taking.map(({ name, system, outcomes, failures }) => collect(workload, name, system, outcomes, failures));
}

/** Lets a process of its own carry out an order, bounded in time. */
async function obeyed(order: Order, timeoutMs: number, profile: string | null): Promise<Outcome | null> {
  // Without a name: each thread of the driver writes a file of its own.
  const profiling = profile === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  const child: ChildProcess = fork(drive, [], { execArgv: ['--import', 'tsx', ...profiling], stdio: ['ignore', 'inherit', 'inherit', 'ipc'], serialization: 'advanced' });
  const close = async () => void (await ended(child));
  open.add(close);
  try {
    return await new Promise<Outcome | null>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`not done after ${timeoutMs / 1000} s`)), timeoutMs);
      timer.unref();
      child.once('exit', (code) => reject(new Error(`the driver ended with ${code ?? 'a signal'}`)));
      child.once('message', (message) => {
        clearTimeout(timer);
        const answer = message as Answer;
        if (answer.ok) resolve(answer.outcome);
        else reject(new Error(answer.error));
      });
      child.send(order);
    });
  } finally {
    // It ends by itself, and writes its profile then.
    if (profile !== null && child.exitCode === null) await new Promise((resolve) => child.once('exit', resolve));
    open.delete(close);
    await close();
  }
}

process.exitCode = await main();
