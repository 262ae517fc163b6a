import type { Endpoint, System, WorkloadName } from './system.js';

export interface Sizes {
  readonly clients: number;
  /** How long W1, W1p, W2 and W3 run. */
  readonly seconds: number;
  /** Before that, unmeasured, so that the code is compiled and the pools are open. */
  readonly warmUpSeconds: number;
  readonly inFlight: number;
  readonly subscribers: number;
  readonly editsPerSecond: number;
  readonly documents: number;
  readonly changed: number;
  readonly offlineEdits: number;
  readonly offlineDocuments: number;
}

export const fullSizes: Sizes = {
  clients: 16, seconds: 5, warmUpSeconds: 6, inFlight: 64, subscribers: 500, editsPerSecond: 50, documents: 10_000, changed: 100, offlineEdits: 5_000, offlineDocuments: 100,
};
export const quickSizes: Sizes = {
  clients: 16, seconds: 1, warmUpSeconds: 0.5, inFlight: 64, subscribers: 50, editsPerSecond: 50, documents: 500, changed: 20, offlineEdits: 500, offlineDocuments: 20,
};

export interface Metric {
  readonly name: string;
  readonly unit: string;
  /** NaN: not measured in this round. */
  readonly value: number;
  readonly better: 'more' | 'less';
}

export interface Outcome {
  readonly metrics: readonly Metric[];
  /** What was checked, with its numbers. A failed check throws instead. */
  readonly verified: string;
}

export interface Run {
  readonly system: System;
  readonly endpoint: Endpoint;
  readonly sizes: Sizes;
  /** 0, 1, 2 …: documents of a round are its own where a workload changes them. */
  readonly round: number;
  /** An empty folder. */
  readonly folder: string;
}

export interface Workload {
  readonly name: WorkloadName;
  readonly title: string;
  /** Once for each server, before the first round. */
  readonly documents: (sizes: Sizes, round: number) => readonly string[];
  /** Whether each round needs its documents made, or only the first. */
  readonly seedEachRound: boolean;
  run(run: Run): Promise<Outcome>;
}

export async function loadWorkload(name: WorkloadName): Promise<Workload> {
  const module = (await import(`./workloads/${name.toLowerCase()}.ts`)) as { readonly workload: Workload };
  return module.workload;
}

export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

export const ascending = (values: readonly number[]): readonly number[] => [...values].sort((a, b) => a - b);

export function check(holds: boolean, message: () => string): asserts holds {
  if (!holds) throw new Error(`The outcome is wrong: ${message()}`);
}

/** Waits until it holds, looking every few milliseconds. */
export async function until(holds: () => boolean | Promise<boolean>, what: string, { timeoutMs = 30_000, everyMs = 5 } = {}): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`${what} did not happen within ${timeoutMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
