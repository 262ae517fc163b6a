import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';
import type { Arguments } from './arguments.js';
import { versionOf } from './peers.js';
import { loadSystem, systemNames, type System, type SystemName, type WorkloadName } from './system.js';
import { ascending, fullSizes, quickSizes, loadWorkload, type Outcome, type Workload } from './workload.js';

export interface Spread {
  readonly name: string;
  readonly unit: string;
  readonly better: 'more' | 'less';
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** One system in one workload. */
export interface Cell {
  readonly workload: WorkloadName;
  readonly name: SystemName;
  readonly title: string;
  readonly acknowledged: string;
  readonly metrics: readonly Spread[];
  readonly rounds: number;
  /** Of the last round. */
  readonly verified: string;
  readonly failures: readonly string[];
}

export function collect({ name: workload }: Workload, name: SystemName, system: System, outcomes: readonly Outcome[], failures: readonly string[]): Cell {
  const metrics = (outcomes[0]?.metrics ?? []).map(({ name: metric, unit, better }, index): Spread => {
    const values = ascending(outcomes.map(({ metrics: all }) => all[index]!.value).filter((value) => !Number.isNaN(value)));
    const middle = values.length >> 1;
    const median = values.length % 2 === 1 ? values[middle]! : ((values[middle - 1] ?? NaN) + (values[middle] ?? NaN)) / 2;
    return { name: metric, unit, better, median, least: values[0] ?? NaN, most: values.at(-1) ?? NaN };
  });
  return { workload, name, title: system.title, acknowledged: system.acknowledged, metrics, rounds: outcomes.length, verified: outcomes.at(-1)?.verified ?? '', failures };
}

/** Rows of cells: the system, what an acknowledgement means, then each metric with its spread and its ratio to the first system's. */
function rows(cells: readonly Cell[]): readonly (readonly string[])[] {
  const metrics = cells.find((cell) => cell.metrics.length > 0)?.metrics ?? [];
  const own = cells.find((cell) => cell.name.startsWith('concord') && cell.metrics.length > 0) ?? cells.find((cell) => cell.metrics.length > 0);
  return [
    ['system', 'acknowledged means', ...metrics.map(({ name, unit }) => `${name}, ${unit}`)],
    ...cells.map((cell) => [
      cell.title,
      cell.acknowledged,
      ...(cell.metrics.length === 0
        ? [`failed: ${cell.failures[0]?.split('\n')[0] ?? ''}`, ...metrics.slice(1).map(() => '')]
        : cell.metrics.map(({ median, least, most, better }, index) => {
            const reference = own?.metrics[index]?.median;
            const ratio = cell === own || reference === undefined ? '' : better === 'more' ? reference / median : median / reference;
            const spread = cell.rounds > 1 ? ` [${short(least)}–${short(most)}]` : '';
            return `${short(median)}${spread}${ratio === '' || !Number.isFinite(ratio) ? '' : ` (${ratio.toFixed(2)}x)`}`;
          })),
    ]),
  ];
}

export function table(cells: readonly Cell[]): string {
  const all = rows(cells);
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return ['', ...all.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ')}`), '  (x: how many times as good Concord is)'].join('\n');
}

export async function markdown(cells: readonly Cell[], { quick, rounds, note }: Arguments, started: Date): Promise<string> {
  const sizes = quick ? quickSizes : fullSizes;
  const versions = new Map<string, string>();
  for (const name of systemNames.filter((candidate) => cells.some((cell) => cell.name === candidate))) {
    for (const used of (await loadSystem(name)).packages) versions.set(used, versionOf(used) ?? 'missing');
  }
  const sections = await Promise.all(
    [...new Set(cells.map(({ workload }) => workload))].map(async (name) => {
      const own = cells.filter(({ workload }) => workload === name);
      const [head, ...body] = rows(own);
      const line = (row: readonly string[]) => `| ${row.join(' | ')} |`;
      return [
        `## ${name}: ${(await loadWorkload(name)).title}`,
        '',
        line(head!),
        line(head!.map(() => '---')),
        ...body.map(line),
        '',
        'Verified in each round:',
        '',
        ...own.map(({ title, verified, failures }) => `- ${title}: ${failures.length > 0 ? `**failed**, ${failures[0]!.split('\n')[0]!}` : verified}`),
        '',
      ].join('\n');
    }),
  );
  return `# Benchmarks

Written by \`npm run bench\`. Medians of ${rounds} rounds in turns, [least–most]; (x) tells how many times as good Concord is. Server, driver
and database share the machine; each is a process of its own. What an acknowledgement means differs, so it is named in each row.

- ${started.toISOString()}, ${cpus().length} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), ${(totalmem() / 2 ** 30).toFixed(0)} GiB, ${process.platform} ${release()}, Node ${process.version}
- Concord at ${revision()}; ${[...versions].map(([name, version]) => `${name} ${version}`).join(', ')}
- PostgreSQL as Concord embeds it, durable (fsync and synchronous_commit on), the same for ShareDB
- Sizes: ${Object.entries(sizes).map(([name, value]) => `${name} ${value}`).join(', ')}
- Rate limits of Concord are off, because the peers have none. Load average at the end: ${loadAverage()}
${note === null ? '' : `- ${note}\n`}
${sections.join('\n')}`;
}

function revision(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  } catch {
    return 'an unknown revision';
  }
}

function loadAverage(): string {
  try {
    return execFileSync('uptime', { encoding: 'utf8' }).split('load average:')[1]?.trim() ?? 'unknown';
  } catch {
    return 'unknown';
  }
}

function short(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
}
