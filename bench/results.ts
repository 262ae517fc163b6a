import { execFileSync } from 'node:child_process';
import { machine } from './machine.js';
import { markdownTable } from './markdown-table.js';
import { versionOf } from './peers.js';
import type { Cell, Circumstances, Recorded, RecordedCell, Spread } from './recorded.js';
import { loadSystem, systemNames, workloadNames, type System, type SystemName, type WorkloadName } from './system.js';
import { targets, type Target } from './targets.js';
import { ascending, loadWorkload, type Outcome, type Sizes, type Workload } from './workload.js';

export function collect({ name: workload }: Workload, name: SystemName, system: System, outcomes: readonly Outcome[], failures: readonly string[]): Cell {
  const metrics = (outcomes[0]?.metrics ?? []).map(({ name: metric, unit, better }, index): Spread => {
    const values = ascending(outcomes.map(({ metrics: all }) => all[index]!.value).filter((value) => !Number.isNaN(value)));
    const middle = values.length >> 1;
    const median = values.length % 2 === 1 ? values[middle]! : ((values[middle - 1] ?? NaN) + (values[middle] ?? NaN)) / 2;
    return { name: metric, unit, better, median, least: values[0] ?? NaN, most: values.at(-1) ?? NaN };
  });
  return { workload, name, title: system.title, acknowledged: system.acknowledged, metrics, rounds: outcomes.length, verified: outcomes.at(-1)?.verified ?? '', failures };
}

/** A cell of this run, which has no index yet, or of an earlier one. */
type Shown = Cell & { readonly run?: number };

/** Rows of one workload: the system, what an acknowledgement means, then each metric with its spread and its ratio to Concord's. */
function rows(cells: readonly Shown[]): readonly (readonly string[])[] {
  const metrics = cells.find((cell) => cell.metrics.length > 0)?.metrics ?? [];
  const own = cells.find((cell) => cell.name.startsWith('concord') && cell.metrics.length > 0);
  const several = new Set(cells.map(({ run }) => run)).size > 1;
  return [
    ['system', 'acknowledged means', ...metrics.map(({ name, unit }) => `${name}, ${unit}`), ...(several ? ['run'] : [])],
    ...cells.map((cell) => [
      cell.title,
      cell.acknowledged,
      ...(cell.metrics.length === 0
        ? [`failed: ${cell.failures[0]?.split('\n')[0] ?? ''}`, ...metrics.slice(1).map(() => '')]
        : cell.metrics.map(({ median, least, most, better }, index) => {
            const reference = own?.metrics[index]?.median;
            const ratio = cell === own || reference === undefined ? NaN : better === 'more' ? reference / median : median / reference;
            const spread = cell.rounds > 1 ? ` [${short(least)}–${short(most)}]` : '';
            return `${short(median)}${spread}${Number.isFinite(ratio) ? ` (${cell.run === own?.run ? '' : '≈ '}${ratio.toFixed(2)}x)` : ''}`;
          })),
      ...(several ? [letter(cell.run ?? 0)] : []),
    ]),
  ];
}

const letter = (run: number): string => String.fromCharCode('A'.charCodeAt(0) + run);

/** Rows of what Concord is to reach in a workload: the target, what was measured, and whether that is enough. Empty where it was not measured. */
function targetRows(workload: WorkloadName, cells: readonly Shown[]): readonly (readonly string[])[] {
  const metricOf = (name: SystemName, metric: string) => cells.find((cell) => cell.name === name)?.metrics.find((spread) => spread.name === metric);
  return targets[workload].flatMap(({ metric, better, goal, stretch, peer, of = 'concord' }: Target) => {
    const measured = metricOf(of, metric);
    const other = peer === undefined ? undefined : metricOf(peer, metric);
    if (measured === undefined || Number.isNaN(measured.median) || (peer !== undefined && other === undefined)) return [];
    const value = other === undefined ? measured.median : measured.median / other.median;
    const reaches = (bound: number) => (better === 'more' ? value >= bound : value <= bound);
    const unit = other === undefined ? ` ${measured.unit}` : `x ${cells.find((cell) => cell.name === peer)?.title ?? ''}`;
    const asked = `${better === 'more' ? 'at least' : 'at most'} ${short(goal)}${unit}`;
    const verdict = stretch !== undefined && reaches(stretch) ? 'met, and the stretch' : reaches(goal) ? 'met' : '**not met**';
    const who = of === 'concord' ? '' : `, ${cells.find((cell) => cell.name === of)?.title ?? of}`;
    return [[`${metric}${who}`, asked, stretch === undefined ? '' : short(stretch), `${short(value)}${other === undefined ? '' : 'x'}`, verdict]];
  });
}

/** For a terminal. `full`: the sizes are those that the targets are of. */
export function table(workload: WorkloadName, cells: readonly Cell[], full: boolean): string {
  const reached = (full ? targetRows(workload, cells) : []).map(([metric, asked, stretch, value, verdict]) => `  ${metric}: ${asked}${stretch === '' ? '' : ` (${stretch})`}: ${value}, ${verdict!.replaceAll('*', '')}`);
  return ['', ...columns(rows(cells)), '  (x: how many times as good Concord is)', ...reached].join('\n');
}

function columns(all: readonly (readonly string[])[]): readonly string[] {
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ').trimEnd()}`);
}

/** The report of everything that is recorded. */
export async function markdown({ runs, cells }: Recorded): Promise<string> {
  const systems = await Promise.all(systemNames.map(async (name) => ({ name, system: await loadSystem(name) })));
  const sections = await Promise.all(
    workloadNames
      .filter((name) => cells.some(({ workload }) => workload === name))
      .map(async (name) => {
        const own = cells.filter(({ workload }) => workload === name);
        const without = systems.flatMap(({ name: peer, system: { title, cannot } }) => (cannot?.[name] === undefined || own.some((cell) => cell.name === peer) ? [] : [`- ${title} is not here: ${cannot[name]}.`]));
        const asked = targetRows(name, own);
        const [head, ...body] = rows(own);
        return [
          `## ${name}: ${(await loadWorkload(name)).title}`,
          '',
          markdownTable(head!, body),
          '',
          ...(asked.length === 0 ? [] : [markdownTable(['target', 'asked of Concord', 'stretch', 'measured', ''], asked), '']),
          'Verified in each round:',
          '',
          ...own.map(verification),
          ...(without.length === 0 ? [] : ['', ...without]),
          '',
        ].join('\n');
      }),
  );
  return `# Benchmarks

Written by \`npm run bench\`. Medians of rounds in turns, [least–most]; (x) tells how many times as good Concord is. Server, driver
and database share the machine; each is a process of its own. What an acknowledgement means differs, so it is named in each row.
A run replaces the rows it has measured and leaves the others; (≈ x) compares rows of two runs, so two moments of the machine.
The targets are those of bench/targets.ts; docs/SCALING.md tells why some are not met.

${runs.map(described).join('\n')}

PostgreSQL is as Concord embeds it, durable (fsync and synchronous_commit on), the same for ShareDB. Rate limits of Concord are off,
because the peers have none. Sizes: ${runs.at(-1)?.sizes ?? ''}.

${sections.join('\n')}`;
}

const verification = ({ title, verified, failures, rounds }: RecordedCell): string =>
  `- ${title}: ${failures.length > 0 ? `**failed**, ${failures[0]!.split('\n')[0]!}` : `${verified} (${rounds} ${rounds === 1 ? 'round' : 'rounds'})`}`;

function described({ started, machine, revision, versions, load, note }: Circumstances, run: number): string {
  const used = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `- Run ${letter(run)}: ${started}, ${machine}; Concord at ${[revision, ...used].join(', ')}. Load average at the end: ${load}.${note === null ? '' : ` ${note}`}`;
}

/** Of a run that has measured `commit` with these systems and is over now. */
export async function circumstances(started: Date, commit: string, systems: readonly SystemName[], sizes: Sizes, note: string | null): Promise<Circumstances> {
  const packages = (await Promise.all(systems.map(loadSystem))).flatMap((system) => system.packages);
  return {
    started: started.toISOString(),
    machine,
    revision: commit,
    sizes: Object.entries(sizes).map(([name, value]) => `${name} ${String(value)}`).join(', '),
    versions: Object.fromEntries(packages.map((name) => [name, versionOf(name) ?? 'missing'])),
    load: loadAverage(),
    note,
  };
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
