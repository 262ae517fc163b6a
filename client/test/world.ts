import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { canonicalJson, type JsonValue } from '@concord/core';
import { startTestServer, type TestServer } from '../../server/test/harness.js';
import { openReplica, type Replica, type ReplicaOptions } from '../index.js';

/** A real server with replicas on real files; `close` ends all of it. */
export class World {
  private readonly replicas = new Set<Replica>();
  private readonly folder = mkdtempSync(join(tmpdir(), 'concord-client-'));
  private files = 0;

  private constructor(readonly server: TestServer) {}

  static async start(options: Parameters<typeof startTestServer>[0] = {}): Promise<World> {
    return new World(await startTestServer(options));
  }

  newFile(): string {
    return join(this.folder, `replica-${this.files++}.db`);
  }

  /** A replica that retries fast. */
  async open(options: Partial<ReplicaOptions> = {}): Promise<Replica> {
    const replica = await openReplica({
      url: this.server.url,
      token: this.server.token,
      database: this.newFile(),
      retry: { firstMs: 20, longestMs: 200 },
      ...options,
    });
    this.replicas.add(replica);
    return replica;
  }

  /** All that were opened and not closed. */
  async settle(...replicas: readonly Replica[]): Promise<void> {
    for (const replica of replicas) await replica.settled({ timeoutMs: 15_000 });
    // What the later ones pushed has to reach the earlier ones.
    for (const replica of replicas) await replica.settled({ timeoutMs: 15_000 });
  }

  /** The server's documents by id, tombstones left out. */
  async serverDocuments(): Promise<Record<string, JsonValue>> {
    const { data, errors } = await this.server.graphql('{ documents(first: 1000) { nodes { id value } } }');
    if (errors.length > 0) throw new Error(JSON.stringify(errors));
    const { nodes } = data!['documents'] as { nodes: { id: string; value: JsonValue }[] };
    return Object.fromEntries(nodes.map(({ id, value }) => [id, value]));
  }

  /** The committed edits of a document, oldest first. */
  async log(documentId: string): Promise<{ patchId: string; kind: string; revision: number }[]> {
    const { data } = await this.server.graphql(
      'query ($id: ID!) { history(documentId: $id, first: 1000) { nodes { patchId kind revision } } }',
      { id: documentId },
    );
    const { nodes } = data!['history'] as { nodes: { patchId: string; kind: string; revision: number }[] };
    return nodes.reverse();
  }

  /** One statement on the server's database. */
  async sql(text: string): Promise<void> {
    const client = new pg.Client({ connectionString: this.server.databaseUrl });
    await client.connect();
    await client.query(text);
    await client.end();
  }

  async close(): Promise<void> {
    await Promise.all([...this.replicas].map((replica) => replica.close()));
    await this.server.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Resolves when the replica is live (or in another state asked for). */
export function reaches(replica: Replica, wanted: (status: Replica['status']) => boolean): Promise<Replica['status']> {
  return new Promise((resolve) => {
    const stop = replica.onStatus((status) => {
      if (!wanted(status)) return;
      resolve(status);
      queueMicrotask(() => stop());
    });
  });
}

/** Asks again and again, where there is no event to wait for. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
}

export const live = (replica: Replica) => reaches(replica, ({ connection }) => connection === 'live');

export const same = (a: unknown, b: unknown): boolean => canonicalJson(a as JsonValue) === canonicalJson(b as JsonValue);
