import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { systemNames, workloadNames, type SystemName, type WorkloadName } from './system.js';

export interface Spread {
  readonly name: string;
  readonly unit: string;
  readonly better: 'more' | 'less';
  /** NaN: not measured. */
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

/** The circumstances of a run. */
export interface Circumstances {
  /** When it began, in ISO 8601. */
  readonly started: string;
  readonly machine: string;
  readonly revision: string;
  readonly sizes: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly load: string;
  readonly note: string | null;
}

/** A cell and which of the runs it is of, by the index. */
export type RecordedCell = Cell & { readonly run: number };

/** Everything the report is written from. */
export interface Recorded {
  readonly runs: readonly Circumstances[];
  readonly cells: readonly RecordedCell[];
}

const file = fileURLToPath(new URL('./results.json', import.meta.url));

export function readRecorded(): Recorded {
  if (!existsSync(file)) return { runs: [], cells: [] };
  // JSON has no NaN, and writes null.
  return JSON.parse(readFileSync(file, 'utf8'), (key, value: unknown) => (value === null && (key === 'median' || key === 'least' || key === 'most') ? NaN : value)) as Recorded;
}

export function writeRecorded(recorded: Recorded): void {
  writeFileSync(file, `${JSON.stringify(recorded, null, 1)}\n`);
}

/**
 * A run's cells in the place of what was known of the same systems in the same workloads. What was measured on another machine or
 * with other sizes is dropped: one report does not mix them.
 */
export function withRun({ runs, cells }: Recorded, run: Circumstances, measured: readonly Cell[]): Recorded {
  const replaced = ({ workload, name }: Cell) => measured.some((cell) => cell.workload === workload && cell.name === name);
  const kept = cells.filter((cell) => !replaced(cell) && runs[cell.run]!.machine === run.machine && runs[cell.run]!.sizes === run.sizes);
  const still = runs.filter((_, index) => kept.some((cell) => cell.run === index));
  const all = [...kept.map((cell) => ({ ...cell, run: still.indexOf(runs[cell.run]!) })), ...measured.map((cell) => ({ ...cell, run: still.length }))];
  const place = ({ workload, name }: Cell) => workloadNames.indexOf(workload) * systemNames.length + systemNames.indexOf(name);
  return { runs: [...still, run], cells: all.sort((a, b) => place(a) - place(b)) };
}
