import type { Edit, JsonObject } from './documents.js';

export const workloadNames = ['W1', 'W1p', 'W2', 'W3', 'W4', 'W5', 'W6'] as const;
export type WorkloadName = (typeof workloadNames)[number];

/** Where a system's server is. Process ids are for measuring their CPU time and memory. */
export interface Endpoint {
  readonly url: string;
  readonly token: string;
  readonly serverPid: number;
  /** Null: the system has no database process, or it is a child of the server. */
  readonly databasePid: number | null;
}

/** One client that edits one document. */
export interface Writer {
  /** Resolves when the server has acknowledged the edit. Edits of one writer may overlap. */
  edit(edit: Edit): Promise<void>;
  /** The document as this client sees it. */
  value(): JsonObject | Promise<JsonObject>;
  close(): Promise<void> | void;
}

/** A local store that follows many documents, works offline and catches up. */
export interface Replica {
  /** Resolves when everything the server had is in the local store. */
  synced(): Promise<void>;
  goOffline(): Promise<void>;
  /** Begins to connect; does not wait for it. */
  goOnline(): void;
  /** Resolves (or returns) when the edit is in the local store. */
  edit(id: string, n: number): Promise<void> | void;
  /** Resolves when the server has acknowledged everything. */
  flushed(): Promise<void>;
  value(id: string): JsonObject | undefined | Promise<JsonObject | undefined>;
  /** Bytes through the connections made since the last `goOnline`. */
  bytes(): { readonly sent: number; readonly received: number };
  close(): Promise<void>;
}

export interface ReplicaRequest {
  /** An empty folder. */
  readonly folder: string;
  /** Documents that exist on the server, for systems that can only follow by id. */
  readonly ids: readonly string[];
  /** Opens without a connection, except that the documents named are already there. */
  readonly purpose: 'cold sync' | 'offline edits' | 'resume';
}

export interface System {
  readonly title: string;
  /** What an acknowledgement means. */
  readonly acknowledged: string;
  /** npm packages whose versions the report names. */
  readonly packages: readonly string[];
  readonly workloads: readonly WorkloadName[];
  /** Why not, for workloads that are left out and where a reader would look for it. */
  readonly cannot?: Readonly<Partial<Record<WorkloadName, string>>>;
  /** Whether the server process needs a PostgreSQL of its own, given as a connection string. */
  readonly postgres: boolean;
  /** Runs in the server process. Absent: `program` is started instead. */
  readonly serve?: (options: { readonly postgres: string | null; readonly folder: string }) => Promise<{ readonly url: string }>;
  /** Makes the documents on the server, each as `documentOf` its id. */
  seed(endpoint: Endpoint, ids: readonly string[]): Promise<void>;
  /** A client of its own connection. */
  writer(endpoint: Endpoint, id: string): Promise<Writer>;
  /** A socket that follows one document and does as little as it can: tells how many changes came. */
  subscribe?(endpoint: Endpoint, id: string, onChanges: (count: number) => void): Promise<{ close(): void }>;
  replica?(endpoint: Endpoint, request: ReplicaRequest): Promise<Replica>;
}

export const systemNames = ['concord', 'concord-squash', 'concord-deflate', 'concord-replica', 'sharedb', 'sharedb-memory', 'hocuspocus', 'rxdb', 'pouchdb', 'automerge', 'graphql-ws', 'ws'] as const;
export type SystemName = (typeof systemNames)[number];

export async function loadSystem(name: SystemName): Promise<System> {
  const module = (await import(`./systems/${name}.ts`)) as { readonly system: System };
  return module.system;
}
