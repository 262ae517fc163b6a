import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { CommitPort, Verdict } from '@concord/schema';
import { ConcordError } from '@concord/core';

/** What one run of the retention tells. */
export type RetentionOutcome = { readonly changes: number; readonly auditRows: number } | 'FAILED';

/**
 * The figures of one server. Each server has a registry of its own, so that several can run in one process. No label holds data
 * of a document, a workspace or a principal: only codes of closed sets and names that this code gives.
 */
export class Metrics {
  readonly registry = new Registry();
  private readonly pushes = this.counter('concord_pushes_total', 'Pushes by how they ended: ANSWERED with a verdict for each edit, or the code of the error.', ['outcome']);
  private readonly verdicts = this.counter('concord_verdicts_total', 'Verdicts on edits: COMMITTED, DUPLICATE, or the code of the refusal.', ['code']);
  private readonly pushSeconds = this.histogram('concord_push_seconds', 'Seconds from a push to its verdicts, waiting for others included.', [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]);
  private readonly batchEdits = this.histogram('concord_commit_batch_edits', 'Edits that were committed together.', [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2000]);
  private readonly batchSeconds = this.histogram('concord_commit_batch_seconds', 'Seconds of a batch of commits, repeats after failures included.', [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]);
  private readonly retentionRuns = this.counter('concord_retention_runs_total', 'Runs of the retention on this node, by outcome.', ['outcome']);
  private readonly retentionRows = this.counter('concord_retention_rows_total', 'Rows that the retention took away on this node.', ['table']);
  private readonly droppedReaders = this.counter('concord_readers_dropped_total', 'Subscriptions that were ended with LAGGED because their reader was too slow.', []);

  dropped(): void {
    this.droppedReaders.inc();
  }

  /** Once a batch, never once an edit. */
  batch(edits: number, milliseconds: number): void {
    this.batchEdits.observe(edits);
    this.batchSeconds.observe(milliseconds / 1000);
  }

  retention(outcome: RetentionOutcome): void {
    this.retentionRuns.inc({ outcome: outcome === 'FAILED' ? 'FAILED' : 'DONE' });
    if (outcome === 'FAILED') return;
    this.retentionRows.inc({ table: 'changes' }, outcome.changes);
    this.retentionRows.inc({ table: 'audit' }, outcome.auditRows);
  }

  /** The same commits, counted. */
  counting(commit: CommitPort, monotonicNow: () => number): CommitPort {
    return {
      push: async (viewer, workspaceId, edits) => {
        const from = monotonicNow();
        try {
          const verdicts = await commit.push(viewer, workspaceId, edits);
          this.pushes.inc({ outcome: 'ANSWERED' });
          for (const verdict of verdicts) this.verdicts.inc({ code: codeOf(verdict) });
          return verdicts;
        } catch (error) {
          this.pushes.inc({ outcome: error instanceof ConcordError ? error.code : 'INTERNAL' });
          throw error;
        } finally {
          this.pushSeconds.observe((monotonicNow() - from) / 1000);
        }
      },
    };
  }

  /** A figure that is looked up when the page is asked for. */
  gauge(name: string, help: string, look: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(look());
      },
    });
  }

  /** The same for several things of one kind. */
  gauges(name: string, help: string, label: string, look: () => Iterable<readonly [string, number]>): void {
    new Gauge({
      name,
      help,
      labelNames: [label],
      registers: [this.registry],
      collect() {
        for (const [value, figure] of look()) this.set({ [label]: value }, figure);
      },
    });
  }

  private counter<Label extends string>(name: string, help: string, labelNames: readonly Label[]): Counter<Label> {
    return new Counter({ name, help, labelNames: [...labelNames], registers: [this.registry] });
  }

  private histogram(name: string, help: string, buckets: number[]): Histogram {
    return new Histogram({ name, help, buckets, registers: [this.registry] });
  }
}

function codeOf(verdict: Verdict): string {
  if (verdict.type === 'Refused') return verdict.code;
  return verdict.duplicate ? 'DUPLICATE' : 'COMMITTED';
}
