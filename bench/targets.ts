import type { SystemName, WorkloadName } from './system.js';

/** What Concord is to reach in a workload: a number, or so many times what a peer reaches. */
export interface Target {
  readonly metric: string;
  readonly better: 'more' | 'less';
  /** Of the peer where there is one, else in the metric's unit. */
  readonly goal: number;
  readonly stretch?: number;
  readonly peer?: SystemName;
  /** Which of Concord's systems it is asked of. Default: concord. */
  readonly of?: SystemName;
}

const most = (metric: string, goal: number, stretch?: number): Target => ({ metric, better: 'less', goal, ...(stretch === undefined ? {} : { stretch }) });
const least = (metric: string, goal: number, stretch?: number): Target => ({ metric, better: 'more', goal, ...(stretch === undefined ? {} : { stretch }) });
const times = (goal: number, metric: string, peer: SystemName, of: SystemName = 'concord'): Target => ({ metric, better: 'more', goal, peer, of });
const atMostTimes = (goal: number, metric: string, peer: SystemName): Target => ({ metric, better: 'less', goal, peer });

/**
 * The one place of the targets. They were set on two shared cores, with PostgreSQL durable. Such a machine is up to twice as fast at
 * one moment as at another, so where a peer does the same work the target is said as a ratio to it in the same run as well: of W3,
 * what was asked over what bare ws (0.007 s, the floor) and Hocuspocus (0.0097 s, 5.5 ms) took when it was set.
 */
export const targets: Readonly<Record<WorkloadName, readonly Target[]>> = {
  W1: [least('rate', 12_000, 18_000), times(2.8, 'rate', 'sharedb')],
  W1p: [least('rate', 25_000, 40_000), times(1, 'rate', 'sharedb', 'concord-squash')],
  W2: [least('rate', 3_000, 6_000), times(1.2, 'rate', 'hocuspocus')],
  W3: [most('p50', 5.5), most('p99', 10), most('server', 0.009, 0.007), most('memory', 25, 15), atMostTimes(1.29, 'server', 'ws'), atMostTimes(0.93, 'server', 'hocuspocus'), atMostTimes(1, 'p50', 'hocuspocus')],
  W4: [most('time', 0.6, 0.35)],
  W5: [least('local edits', 20_000, 40_000), most('flush', 0.25, 0.12), most('first flush', 0.25, 0.12)],
  W6: [most('time', 30, 15), most('bytes', 20, 12)],
};
