import { apply, canonicalJson, normalize, parsePatch, type JsonValue } from '@concord/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateDocument, seededTape } from '../../core/test/generate.js';
import { create, documentId, edit, openWorld, told, type Node, type World } from './engine-world.js';
import { postgresUrl } from './postgres-url.js';
import { ReplicaModel } from './replica-model.js';

let world: World;
let nodes: Node[];

beforeAll(async () => {
  world = await openWorld(postgresUrl());
  // Two that catch up with each other, and one that forgets at once what it knows and rebuilds it from the database all the time.
  nodes = [await world.node(), await world.node({ cacheBytes: 1 }), await world.node()];
});
afterAll(() => world.close());

const runs = 24;
const steps = 40;

describe('replicas that edit one document concurrently', () => {
  it.each(Array.from({ length: runs }, (_, run) => 1000 + run))('end as the server, as the log replayed and as each other (seed %i)', async (seed) => {
    const tape = seededTape(seed);
    const pick = (count: number) => tape.draw(count);
    const id = documentId(`doc-${seed}`);
    const [created] = await nodes[0]!.commit.push(world.editor, world.workspaceId, [edit(id, 'creator', 1, 0, create(generateDocument(tape)))]);
    expect(told(created)).toBe('ok 1');
    const replicas = ['r0', 'r1', 'r2'].map((name) => new ReplicaModel(`${name}.${seed}`, world, id));
    for (const replica of replicas) await replica.pull(nodes[0]!, 1);

    for (let step = 0; step < steps; step++) {
      const replica = replicas[pick(replicas.length)]!;
      const node = nodes[pick(nodes.length)]!;
      switch (pick(5)) {
        case 0:
        case 1:
          replica.make(tape, 1 + pick(3));
          break;
        case 2:
          // A prefix of what is pending: its answer is not looked at, so parts are sent again, on other bases.
          await replica.push(node, 1 + pick(4));
          break;
        case 3:
          await replica.pull(node, 1 + pick(3));
          break;
        case 4:
          await Promise.all(replicas.map((each) => each.push(nodes[pick(nodes.length)]!, 2)));
      }
    }
    for (const replica of replicas) {
      while (replica.pending.length > 0 && replica.refusals.length === 0) {
        await replica.push(nodes[0]!, 500);
        while (!(await replica.pull(nodes[0]!, 7)));
      }
    }
    for (const replica of replicas) while (!(await replica.pull(nodes[0]!, 1000)));

    expect(replicas.flatMap(({ refusals }) => refusals)).toEqual([]);
    const head = await nodes[0]!.read.document(world.editor, world.workspaceId, id);
    const texts = replicas.map(({ confirmed }) => canonicalJson(confirmed));
    expect(texts).toEqual(replicas.map(() => canonicalJson(head?.value ?? null)));
  });

  it('leave a log that replays to the head of every document, with positions and revisions without a hole', async () => {
    const { rows } = await world.sql.query<{ position: string; document_id: string; revision: string; replica_id: string; counter: string }>(
      `SELECT position, document_id, revision, replica_id, counter FROM changes WHERE workspace_id = 'w1' ORDER BY position`,
    );
    expect(rows.map(({ position }) => Number(position))).toEqual(rows.map((_, index) => index + 1));
    const revisions = new Map<string, number>();
    const counters = new Map<string, number>();
    for (const row of rows) {
      expect(Number(row.revision)).toBe((revisions.get(row.document_id) ?? 0) + 1);
      revisions.set(row.document_id, Number(row.revision));
      const dot = `${row.document_id} ${row.replica_id}`;
      expect(Number(row.counter)).toBe((counters.get(dot) ?? 0) + 1);
      counters.set(dot, Number(row.counter));
    }

    const values = new Map<string, JsonValue>();
    let after = null;
    for (;;) {
      const page = await nodes[1]!.feed.pull(world.reader, world.workspaceId, { after, first: 400, filter: {} });
      if (page.type !== 'ChangeBatch') throw new Error(page.reason);
      for (const { documentId: id, patch } of page.changes) {
        const before = values.get(id) ?? null;
        const parsed = parsePatch(patch);
        if (!parsed.ok) throw new Error(parsed.error.message);
        const normal = normalize(before, parsed.value);
        if (!normal.ok) throw new Error(normal.error.message);
        const next = apply(before, normal.value);
        if (!next.ok) throw new Error(next.error.message);
        values.set(id, next.value);
      }
      after = page.cursor;
      if (page.upToDate) break;
    }
    const { rows: heads } = await world.sql.query<{ id: string; value: JsonValue; revision: string }>(`SELECT id, value, revision FROM documents WHERE workspace_id = 'w1'`);
    expect(heads.length).toBe(revisions.size);
    for (const head of heads) {
      expect(canonicalJson(values.get(head.id) ?? null), head.id).toBe(canonicalJson(head.value));
      expect(Number(head.revision)).toBe(revisions.get(head.id));
    }
  });
});
