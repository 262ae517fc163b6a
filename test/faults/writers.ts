import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { openReplica, type Replica } from '@concord/client';
import type { FaultedCluster } from './cluster.js';

/** One who edits through all faults and keeps a record of what was made and what was acknowledged. */
export interface Writer {
  /** Ids of the edits, creations too. */
  readonly made: readonly string[];
  acknowledged(): readonly string[];
  /** Makes no more edits; resolves when all that were made are acknowledged. */
  finish(timeoutMs: number): Promise<void>;
  close(): Promise<void>;
}

export const sharedDocument = 'shared';
const pauseMs = 40;

/** A real replica on a file, which edits a document of its own and one that all share. */
export class ReplicaWriter implements Writer {
  readonly made: string[] = [];
  private readonly typing: NodeJS.Timeout;

  private constructor(
    readonly replica: Replica,
    readonly documentId: string,
  ) {
    this.typing = setInterval(() => {
      for (const id of [sharedDocument, documentId]) this.made.push(replica.collection('faults').increment(id, '/n').patchId!);
    }, pauseMs);
  }

  static async open(cluster: FaultedCluster, index: number): Promise<ReplicaWriter> {
    const replica = await openReplica({
      url: `${cluster.balancer.url}?workspace=main`,
      token: cluster.token,
      database: path.join(cluster.folder, `replica-${index}.db`),
      squashFrom: 0,
      retry: { firstMs: 50, longestMs: 500 },
    });
    const documentId = `replica-${index}`;
    if (index === 0) replica.collection('faults').create({ n: 0 }, { id: sharedDocument });
    replica.collection('faults').create({ n: 0 }, { id: documentId });
    await replica.settled({ timeoutMs: 20_000 });
    return new ReplicaWriter(replica, documentId);
  }

  acknowledged(): readonly string[] {
    const pending = new Set<string>(this.replica.pending().map(({ patchId }) => patchId));
    return this.made.filter((patchId) => !pending.has(patchId));
  }

  async finish(timeoutMs: number): Promise<void> {
    clearInterval(this.typing);
    await this.replica.settled({ timeoutMs });
  }

  async close(): Promise<void> {
    clearInterval(this.typing);
    await this.replica.close();
  }
}

const pushMutation = `mutation ($replicaId: ID!, $edits: [EditInput!]!) {
  push(replicaId: $replicaId, edits: $edits) { verdicts { __typename ... on Committed { revision } ... on Refused { code message } } }
}`;

/** Answers that say nothing of what became of the edit. */
const passing: ReadonlySet<unknown> = new Set(['UNAVAILABLE', 'SHUTTING_DOWN', 'RATE_LIMITED']);

/** A program without a replica: pushes over HTTP, and the same edit again until there is a verdict. It answers for its own clock. */
export class RawWriter implements Writer {
  readonly made: string[] = [];
  readonly documentId: string;
  private readonly acked: string[] = [];
  private readonly replicaId = randomBytes(16).toString('hex');
  private stopped = false;
  private readonly writing: Promise<void>;

  constructor(
    private readonly cluster: FaultedCluster,
    index: number,
  ) {
    this.documentId = `raw-${index}`;
    this.writing = this.write();
    this.writing.catch(() => undefined);
  }

  acknowledged(): readonly string[] {
    return this.acked;
  }

  async finish(timeoutMs: number): Promise<void> {
    this.stopped = true;
    const late = delay(timeoutMs, undefined, { ref: false }).then(() => {
      throw new Error(`${this.documentId} had no verdict for ${timeoutMs / 1000} s.`);
    });
    await Promise.race([this.writing, late]);
  }

  close(): Promise<void> {
    this.stopped = true;
    return Promise.resolve();
  }

  private async write(): Promise<void> {
    for (let counter = 1; !this.stopped || counter === 1; counter++) {
      const patchId = randomBytes(12).toString('hex');
      this.made.push(patchId);
      const action = counter === 1 ? { create: { collection: 'faults', value: { n: 0 } } } : { patch: [{ op: 'inc', path: '/n', value: 1 }] };
      await this.pushUntilVerdict({ documentId: this.documentId, patchId, counter, clock: { epoch: 1, base: counter - 1 }, action });
      this.acked.push(patchId);
    }
  }

  private async pushUntilVerdict(edit: object): Promise<void> {
    for (;;) {
      const answer = await this.push(edit).catch(() => null);
      if (answer !== null) {
        const [verdict] = answer.data?.push?.verdicts ?? [];
        if (verdict?.__typename === 'Committed') return;
        const code = verdict?.code ?? answer.errors?.[0]?.extensions?.code;
        if (!passing.has(code)) throw new Error(`${this.documentId}: ${JSON.stringify(answer)}`);
      }
      await delay(50);
    }
  }

  private async push(edit: object): Promise<PushAnswer> {
    const response = await fetch(this.cluster.balancer.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${this.cluster.token}`, connection: 'close' },
      body: JSON.stringify({ query: pushMutation, variables: { replicaId: this.replicaId, edits: [edit] } }),
      signal: AbortSignal.timeout(10_000),
    });
    return (await response.json()) as PushAnswer;
  }
}

interface PushAnswer {
  readonly data?: { readonly push?: { readonly verdicts: readonly { readonly __typename: string; readonly code?: string }[] } | null } | null;
  readonly errors?: readonly { readonly extensions?: { readonly code?: string } }[];
}
