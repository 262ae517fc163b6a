import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { WorkspaceId } from '@concord/core';
import { compactWorkspace } from '../../server/retention/compact.js';
import type { FaultedCluster } from './cluster.js';

/** What may go wrong. `happen` resolves when the cause is over, not the recovery. `chance`: at least 0, less than 1. */
export interface Fault {
  readonly name: string;
  happen(cluster: FaultedCluster, chance: () => number): Promise<void>;
}

const signalled = (pids: readonly number[], signal: NodeJS.Signals): void => {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended meanwhile.
    }
  }
};

const backendsOf = async (cluster: FaultedCluster): Promise<readonly number[]> =>
  (await cluster.sql<{ pid: number }>(`SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'concord%'`)).map(({ pid }) => pid);

export const faults: readonly Fault[] = [
  { name: 'a node is stopped (SIGTERM)', happen: (cluster, chance) => cluster.restartNode(chance() < 0.5 ? 0 : 1, 'SIGTERM') },
  { name: 'a node is killed', happen: (cluster, chance) => cluster.restartNode(chance() < 0.5 ? 0 : 1, 'SIGKILL') },
  { name: 'both nodes are killed', happen: async (cluster) => void (await Promise.all([cluster.restartNode(0, 'SIGKILL'), cluster.restartNode(1, 'SIGKILL')])) },
  { name: 'PostgreSQL is killed', happen: async (cluster) => signalled([await cluster.postmaster()], 'SIGKILL') },
  {
    name: 'a backend is killed',
    async happen(cluster, chance) {
      const pids = await backendsOf(cluster);
      signalled(pids.slice(Math.floor(chance() * pids.length)).slice(0, 1), 'SIGKILL');
    },
  },
  { name: 'all backends are terminated', happen: async (cluster) => void (await cluster.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'concord%'`)) },
  {
    name: 'a node is frozen (SIGSTOP)',
    async happen(cluster, chance) {
      const node = cluster.node(chance() < 0.5 ? 0 : 1);
      if (node === null) return;
      signalled([node.pid], 'SIGSTOP');
      await delay(1_500);
      signalled([node.pid], 'SIGCONT');
    },
  },
  {
    name: 'the backends are frozen (SIGSTOP)',
    async happen(cluster) {
      const pids = await backendsOf(cluster);
      signalled(pids, 'SIGSTOP');
      await delay(1_500);
      signalled(pids, 'SIGCONT');
    },
  },
  {
    name: 'the database is read-only',
    async happen(cluster) {
      await cluster.sql(`ALTER DATABASE concord SET default_transaction_read_only = on`);
      await cluster.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'concord%'`);
      await delay(1_500);
      const client = await cluster.connect();
      await client.query('SET default_transaction_read_only = off');
      await client.query('ALTER DATABASE concord RESET default_transaction_read_only');
      await client.end();
    },
  },
  {
    name: 'the log is compacted while it is written',
    async happen(cluster) {
      const pool = new pg.Pool({ connectionString: await cluster.connectionString(), max: 1 });
      try {
        await compactWorkspace(pool, { workspaceId: 'main' as WorkspaceId, olderThan: new Date(Date.now() - 1_000), now: () => new Date() });
      } finally {
        await pool.end();
      }
    },
  },
];

/** Only where the data folder is a disk of its own. */
export const diskFull: Fault = {
  name: 'the disk is full',
  async happen(cluster) {
    await cluster.fillDisk();
    await delay(2_500);
    await cluster.makeRoom();
  },
};
