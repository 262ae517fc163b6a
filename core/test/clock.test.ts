import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compareClocks,
  decideClock,
  formatClock,
  mergeClocks,
  parseClock,
  tickClock,
  type ClockedEdit,
  type ClockVerdict,
  type Counter,
  type DocumentHistory,
  type LogDot,
  type PatchId,
  type ReplicaId,
  type Revision,
  type VectorClock,
} from '../index.js';

const replica = (index: number) => String(index).padStart(32, '0') as ReplicaId;
const clockOf = (entries: readonly (readonly [number, number])[]): VectorClock =>
  new Map(entries.map(([index, counter]) => [replica(index), counter as Counter]));

const anyClock = fc
  .uniqueArray(fc.tuple(fc.nat({ max: 4 }), fc.integer({ min: 1, max: 3 })), { selector: ([index]) => index, maxLength: 4 })
  .map(clockOf);

/** A log as the authors of its changes, and what follows from it. */
interface Log {
  readonly dots: readonly LogDot[];
  /** vectors[b] is the clock of revision b. */
  readonly vectors: readonly VectorClock[];
}

function logOf(authors: readonly number[]): Log {
  const vectors: VectorClock[] = [new Map()];
  const dots = authors.map((author, index): LogDot => {
    const next = tickClock(vectors[index]!, replica(author));
    vectors.push(next);
    return { replicaId: replica(author), counter: next.get(replica(author))!, revision: (index + 1) as Revision };
  });
  return { dots, vectors };
}

const anyLog = fc.array(fc.nat({ max: 3 }), { maxLength: 12 }).map(logOf);

function historyOf(log: Log, kept = log.dots.length, more: Partial<DocumentHistory> = {}): DocumentHistory {
  return {
    epoch: 1,
    head: log.dots.length as Revision,
    counters: log.vectors.at(-1)!,
    tail: log.dots.slice(log.dots.length - kept),
    logged: undefined,
    ...more,
  };
}

const patchId = 'p' as PatchId;

/** The next edit of an author who had seen revision `base` and all of their own changes, in both spellings. */
function nextEdit(log: Log, author: number, base: number): { compact: ClockedEdit; full: ClockedEdit } {
  const replicaId = replica(author);
  const counter = ((log.vectors.at(-1)!.get(replicaId) ?? 0) + 1) as Counter;
  const vector = new Map(log.vectors[base]).set(replicaId, counter);
  const same = { patchId, replicaId, counter };
  return { compact: { ...same, clock: { epoch: 1, base: base as Revision } }, full: { ...same, clock: { epoch: 1, vector } } };
}

describe('vector clocks', () => {
  it('form a chain along a log: each revision is after the one before it', () => {
    fc.assert(fc.property(anyLog, ({ vectors }) => {
      vectors.forEach((early, index) => vectors.slice(index + 1).forEach((late) => {
        expect(compareClocks(early, late)).toBe('before');
        expect(compareClocks(late, early)).toBe('after');
      }));
    }));
  });

  it('merge commutatively, associatively and idempotently, to the least clock after both', () => {
    fc.assert(fc.property(anyClock, anyClock, anyClock, (a, b, c) => {
      const same = (x: VectorClock, y: VectorClock) => expect(formatClock(x)).toEqual(formatClock(y));
      same(mergeClocks(a, b), mergeClocks(b, a));
      same(mergeClocks(mergeClocks(a, b), c), mergeClocks(a, mergeClocks(b, c)));
      same(mergeClocks(a, a), a);
      expect(['equal', 'before']).toContain(compareClocks(a, mergeClocks(a, b)));
      if (compareClocks(a, b) === 'before') same(mergeClocks(a, b), b);
    }), { numRuns: 1000 });
  });

  it('compare as a partial order, with `concurrent` where neither saw all of the other', () => {
    const mirrored = { equal: 'equal', before: 'after', after: 'before', concurrent: 'concurrent' } as const;
    fc.assert(fc.property(anyClock, anyClock, (a, b) => compareClocks(b, a) === mirrored[compareClocks(a, b)]), { numRuns: 1000 });
    expect(compareClocks(clockOf([[1, 2]]), clockOf([[2, 1]]))).toBe('concurrent');
    expect(compareClocks(clockOf([[1, 2], [2, 1]]), clockOf([[1, 1], [2, 2]]))).toBe('concurrent');
    expect(compareClocks(clockOf([]), clockOf([]))).toBe('equal');
  });

  it('are read from what they are written as', () => {
    fc.assert(fc.property(anyClock, (clock) => {
      const read = parseClock(JSON.parse(JSON.stringify(formatClock(clock))));
      expect(read.ok && compareClocks(read.value, clock)).toBe('equal');
    }));
  });

  it.each<[string, unknown]>([
    ['an array', []],
    ['null', null],
    ['an id that is none', { abc: 1 }],
    ['a counter of 0', { [replica(1)]: 0 }],
    ['a counter that is a text', { [replica(1)]: '1' }],
    ['a counter past 2^53', { [replica(1)]: 2 ** 53 }],
  ])('refuse %s', (_title, json) => {
    expect(parseClock(json)).toMatchObject({ ok: false, error: { code: 'CLOCK_MALFORMED' } });
  });
});

describe('the verdict on an edit', () => {
  it('is the same for a compact clock and for the vector it stands for', () => {
    fc.assert(fc.property(anyLog, fc.nat({ max: 4 }), fc.nat(), (log, author, at) => {
      const { compact, full } = nextEdit(log, author, at % log.vectors.length);
      expect(decideClock(full, historyOf(log))).toEqual(decideClock(compact, historyOf(log)));
    }), { numRuns: 3000 });
  });

  it('names a base after which the author had seen only own changes, and the newest such', () => {
    fc.assert(fc.property(anyLog, fc.nat({ max: 4 }), fc.nat(), (log, author, at) => {
      const base = at % log.vectors.length;
      const verdict = decideClock(nextEdit(log, author, base).full, historyOf(log));
      if (verdict.kind !== 'fast-forward' && verdict.kind !== 'concurrent') throw new Error(verdict.kind);
      expect(verdict.base).toBeGreaterThanOrEqual(base);
      const own = replica(author);
      expect(log.dots.slice(base, verdict.base).every(({ replicaId }) => replicaId === own)).toBe(true);
      const missed = log.dots.slice(verdict.base);
      expect(verdict.kind).toBe(missed.length === 0 ? 'fast-forward' : 'concurrent');
      if (missed.length > 0) expect(missed[0]!.replicaId).not.toBe(own);
    }), { numRuns: 3000 });
  });

  it('is stale exactly when a change of another is missing that is no longer retained', () => {
    fc.assert(fc.property(anyLog, fc.nat(), fc.nat(), (log, at, keep) => {
      // A newcomer, so that none of the retained changes is its own.
      const base = at % log.vectors.length;
      const kept = keep % (log.dots.length + 1);
      const { compact, full } = nextEdit(log, 9, base);
      const oldest = log.dots.length - kept;
      for (const edit of [compact, full]) {
        expect(decideClock(edit, historyOf(log, kept)).kind).toBe(base < oldest ? 'stale' : base === log.dots.length ? 'fast-forward' : 'concurrent');
      }
    }), { numRuns: 2000 });
  });

  it('refuses every vector that no revision had', () => {
    fc.assert(fc.property(anyLog, anyClock, (log, wild) => {
      const counter = ((log.vectors.at(-1)!.get(replica(0)) ?? 0) + 1) as Counter;
      const vector = new Map(wild).set(replica(0), counter);
      const off = (clock: VectorClock) => JSON.stringify(formatClock(new Map([...clock].filter(([id]) => id !== replica(0)))));
      const existed = log.vectors.some((clock) => off(clock) === off(vector));
      const { kind } = decideClock({ patchId, replicaId: replica(0), counter, clock: { epoch: 1, vector } }, historyOf(log));
      expect(existed ? ['fast-forward', 'concurrent'] : ['future', 'not-a-prefix']).toContain(kind);
    }), { numRuns: 3000 });
  });
});

interface VerdictCase {
  readonly comment: string;
  readonly log: readonly number[];
  readonly kept?: number;
  readonly retired?: Readonly<Record<string, number>>;
  readonly forgotten?: readonly number[];
  readonly leaseExpired?: boolean;
  readonly logged?: string;
  readonly edit: { readonly patchId: string; readonly replica: number; readonly counter: number; readonly epoch?: number; readonly base?: number; readonly vector?: Readonly<Record<string, number>> };
  readonly verdict: ClockVerdict;
}
interface ClockFixtures {
  readonly compare: readonly { readonly comment: string; readonly a: Readonly<Record<string, number>>; readonly b: Readonly<Record<string, number>>; readonly order: string }[];
  readonly verdicts: readonly VerdictCase[];
}

const fixtures = JSON.parse(readFileSync(new URL('../../fixtures/clock.json', import.meta.url), 'utf8')) as ClockFixtures;
const short = (clock: Readonly<Record<string, number>>) => clockOf(Object.entries(clock).map(([index, counter]) => [Number(index), counter] as const));

describe('fixtures/clock.json', () => {
  it.each(fixtures.compare.map((item) => [item.comment, item] as const))('%s', (_comment, { a, b, order }) => {
    expect(compareClocks(short(a), short(b))).toBe(order);
  });

  it.each(fixtures.verdicts.map((item) => [item.comment, item] as const))('%s', (_comment, item) => {
    const log = logOf(item.log);
    const counters = new Map(log.vectors.at(-1));
    for (const index of item.forgotten ?? []) counters.delete(replica(index));
    const history = historyOf(log, item.kept ?? item.log.length, {
      counters,
      ...(item.retired === undefined ? {} : { retired: short(item.retired) }),
      ...(item.leaseExpired === undefined ? {} : { leaseExpired: item.leaseExpired }),
      logged: item.logged as PatchId | undefined,
    });
    const { patchId: id, replica: author, counter, epoch = 1, base, vector } = item.edit;
    const clock = vector === undefined ? { epoch, base: base as Revision } : { epoch, vector: short(vector) };
    expect(decideClock({ patchId: id as PatchId, replicaId: replica(author), counter: counter as Counter, clock }, history)).toEqual(item.verdict);
  });
});
