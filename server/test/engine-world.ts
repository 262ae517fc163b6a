import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Counter, DocumentId, JsonValue, Patch, PatchId, PrincipalId, ReplicaId, Revision, WorkspaceId } from '@concord/core';
import { parsePatch } from '@concord/core';
import type { Committed, Edit, EditAction, Role, Verdict, Viewer } from '@concord/schema';
import pg from 'pg';
import { pino } from 'pino';
import { openMembershipCache } from '../auth/membership-cache.js';
import { openDatabase, type Database } from '../database.js';
import { createEngine, type Engine, type EngineOptions } from '../engine.js';
import type { Notifications } from '../notify.js';
import { openPostgresNotifications } from '../notify-postgres.js';
import { openRedisNotifications, redisPrefix } from '../notify-redis.js';
import { defaultReadLimits } from '../read/shares.js';
import { openRedis } from '../redis.js';

export const quiet = pino({ level: process.env['LOG_LEVEL'] ?? 'silent' });

/** An empty, migrated database with one workspace and its members; engines are started on it as nodes would be. */
export interface World {
  readonly databaseUrl: string;
  /** For looking into the tables. */
  readonly sql: pg.Pool;
  readonly workspaceId: WorkspaceId;
  /** Id of its history. */
  readonly history: string;
  readonly editor: Viewer;
  readonly reader: Viewer;
  readonly stranger: Viewer;
  /** `through` is another way to the same database, for its pool; with `redisUrl` hints go over that Redis. */
  node(options?: Partial<EngineOptions> & { readonly poolSize?: number; readonly through?: string; readonly redisUrl?: string }): Promise<Node>;
  close(): Promise<void>;
}

export interface Node extends Engine {
  readonly database: Database;
  readonly notify: Notifications;
  readonly memberships: ReturnType<typeof openMembershipCache>;
}

export async function openWorld(serverUrl: string): Promise<World> {
  const name = `engine_${randomBytes(6).toString('hex')}`;
  const admin = new pg.Client({ connectionString: serverUrl });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const databaseUrl = url.toString();

  const sql = new pg.Pool({ connectionString: databaseUrl, max: 4 });
  sql.on('error', () => undefined);
  const migrations = fileURLToPath(new URL('../../prisma/migrations', import.meta.url));
  for (const folder of (await readdir(migrations)).filter((entry) => !entry.includes('.')).sort()) {
    await sql.query(await readFile(`${migrations}/${folder}/migration.sql`, 'utf8'));
  }
  const workspaceId = 'w1' as WorkspaceId;
  const { rows } = await sql.query<{ history: string }>(`INSERT INTO workspaces (id, name) VALUES ('w1', 'Workspace'), ('w2', 'Another') RETURNING history`);
  await sql.query(`INSERT INTO principals (id, name) VALUES ('ed', 'Editor'), ('rea', 'Reader'), ('str', 'Stranger')`);
  await sql.query(`INSERT INTO memberships (workspace_id, principal_id, role) VALUES ('w1', 'ed', 'EDITOR'), ('w1', 'rea', 'VIEWER'), ('w2', 'ed', 'OWNER')`);

  const nodes: Node[] = [];
  return {
    databaseUrl,
    sql,
    workspaceId,
    history: rows[0]!.history,
    editor: viewer('ed', { w1: 'EDITOR', w2: 'OWNER' }),
    reader: viewer('rea', { w1: 'VIEWER' }),
    stranger: viewer('str', {}),
    async node({ poolSize = 6, through = databaseUrl, redisUrl, ...options } = {}) {
      const database = openDatabase({ connectionString: through, poolSize, log: quiet });
      const redis = redisUrl === undefined ? undefined : await openRedis({ url: redisUrl, log: quiet });
      const notify =
        redis === undefined
          ? await openPostgresNotifications({ connectionString: databaseUrl, log: quiet })
          : await openRedisNotifications({ redis, prefix: await redisPrefix(database.pool), log: quiet });
      const memberships = openMembershipCache({ prisma: database.prisma, notify, monotonicNow: () => performance.now() });
      const engine = await createEngine({ prisma: database.prisma, pool: database.pool, commits: database.commits, reads: { pool: database.reads, prisma: database.readPrisma, limits: defaultReadLimits }, log: quiet, rights: memberships, notify, randomId: randomUUID, pollMs: 60_000, ...options });
      let closed = false;
      const node: Node = {
        ...engine,
        database,
        notify,
        memberships,
        async close() {
          if (closed) return;
          closed = true;
          await engine.close();
          await notify.close();
          redis?.close();
          await database.close();
        },
      };
      nodes.push(node);
      return node;
    },
    async close() {
      for (const node of nodes) await node.close();
      await sql.end();
      await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await admin.end();
    },
  };
}

export function viewer(id: string, roles: Readonly<Record<string, Role>>): Viewer {
  return {
    principalId: id as PrincipalId,
    name: id,
    credential: { tokenId: null, expiresAt: null },
    memberships: new Map(
      Object.entries(roles).map(([workspace, role]) => [workspace as WorkspaceId, { workspaceId: workspace as WorkspaceId, name: workspace, role, history: '', isDefault: false }]),
    ),
  };
}

export const replica = (name: string): ReplicaId => createHash('sha256').update(name).digest('hex').slice(0, 32) as ReplicaId;
export const documentId = (id: string): DocumentId => id as DocumentId;

export function patch(...operations: readonly object[]): Patch {
  const parsed = parsePatch(operations);
  if (!parsed.ok) throw new Error(parsed.error.message);
  return parsed.value;
}

/** An edit with a compact clock. `by@counter` names the patch unless an id is given. */
export function edit(id: string, by: string, counter: number, base: number, action: EditAction | Patch, patchId = `${id}.${by}.${counter}`, epoch = 1): Edit {
  return {
    documentId: documentId(id),
    stamp: { patchId: patchId as PatchId, replicaId: replica(by), counter: counter as Counter, clock: { epoch, base: base as Revision } },
    action: 'kind' in action ? action : { kind: 'PATCH', patch: action },
  };
}

export const create = (value: JsonValue, collection = 'things', title = ''): EditAction => ({ kind: 'CREATE', collection, title, value });

export const atHead = (id: string, action: EditAction | Patch, ifRevision?: number): Edit => ({
  documentId: documentId(id),
  stamp: null,
  action: 'kind' in action ? action : { kind: 'PATCH', patch: action },
  ...(ifRevision === undefined ? {} : { ifRevision: ifRevision as Revision }),
});

/** Short for comparisons: `ok 3` for a commit at revision 3, else the code. */
export const told = (verdict: Verdict | undefined): string =>
  verdict === undefined ? 'none' : verdict.type === 'Committed' ? `${verdict.duplicate ? 'again' : 'ok'} ${verdict.revision}` : verdict.code;

export function committed(verdict: Verdict | undefined): Committed {
  if (verdict?.type !== 'Committed') throw new Error(`expected a commit, got ${JSON.stringify(verdict)}`);
  return verdict;
}
