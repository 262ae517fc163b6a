import type pg from 'pg';
import { cannotWrite, outageOf, type Outage } from './failure.js';

/** A write that does not fit into what a table has free, so that it fails where the disk is full. It is never committed. */
const probeStatement = `
INSERT INTO snapshots (workspace_id, document_id, revision, value, created_at)
SELECT '', '', 0, to_jsonb(string_agg(md5(random()::text), '')), now() FROM generate_series(1, 8192)`;

/** Between two probes. */
const pauseMs = 1_000;

/**
 * Knows whether the database has refused to write and has not been seen to write since. A full disk cannot be asked for: it shows
 * when a write fails. From then on a write of our own, rolled back, finds out when it is over; while nothing fails nothing is tried.
 */
export class WriteWatch {
  private refused: Outage | null = null;
  private probedAt = -Infinity;

  constructor(private readonly monotonicNow: () => number) {}

  /** Hears the refusals on all connections of a pool. A session that met a read-only database stays so: the pool lets go of it. */
  watch(pool: pg.Pool): void {
    const stale = new WeakSet<pg.PoolClient>();
    pool.on('connect', (client) => {
      client.connection.on('errorMessage', (error: unknown) => {
        const outage = outageOf(error);
        if (!cannotWrite(outage)) return;
        this.refused = outage;
        if (outage === 'READ_ONLY') stale.add(client);
      });
    });
    pool.on('release', (_error, client) => {
      if (stale.has(client)) void client.end();
    });
  }

  /** Null: as far as is known the database writes. Probes on the connection when it is time. */
  async outage(client: pg.ClientBase): Promise<Outage | null> {
    if (this.refused === null || this.monotonicNow() - this.probedAt < pauseMs) return this.refused;
    this.probedAt = this.monotonicNow();
    try {
      await client.query('BEGIN');
      await client.query(probeStatement);
      this.refused = null;
    } catch (error) {
      this.refused = outageOf(error);
      if (this.refused === null) throw error;
    } finally {
      await client.query('ROLLBACK');
    }
    return this.refused;
  }
}
