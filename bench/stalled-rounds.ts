import { ConcordConnection } from './concord-connection.js';
import { heldKiB, residentKiB } from './processes.js';
import { openStallingSubscriber, type Place, type StallingSubscriber } from './stalling-subscriber.js';
import type { Endpoint } from './system.js';
import { ascending, percentile, until } from './workload.js';

/** One way to stop, and what it did. */
export interface Stalled {
  readonly what: string;
  /** Sockets that found when they read again that the server had gone on without them: they had been backed up there. Null: none was live when it stopped, and so none is told. */
  readonly told: number | null;
  /** What came to each of what was committed after it stopped before it was told, from the kernel and from the server's hands: the median. Null: as above. */
  readonly takenKiB: number | null;
  readonly committedMiB: number;
  /** Resident memory of the server: garbage collected, with all sockets open and reading. */
  readonly beforeMiB: number;
  /** The most that was seen while they did not read. */
  readonly mostMiB: number;
  /** While they still do not read, garbage collected. */
  readonly heldMiB: number;
  /** The most that was seen while they read again; 0 where there are none. */
  readonly againMiB: number;
  /** From the push of a change to its delivery to a subscriber that reads, ms. */
  readonly p50: number;
  readonly p99: number;
  /** Sockets that in the end have every change once and in order. */
  readonly complete: number;
  /** What was wrong with the first of those that do not. */
  readonly wrong: string | null;
}

const documentId = 'busy';
/** In turns: one whose frame is copied for each subscriber, and one whose bytes are shared. */
const changeBytes = [8 * 1024, 56 * 1024] as const;
/** Between two commits. */
const paceMs = 15;
const arrivalTimeoutMs = 30_000;
const readAgainTimeoutMs = 300_000;
const openedAtOnce = 50;
const sampleMs = 20;

export async function measureStalled(endpoint: Endpoint, { sockets, mib, say }: { readonly sockets: number; readonly mib: number; readonly say: (text: string) => void }): Promise<readonly Stalled[]> {
  const writer = new ConcordConnection(endpoint);
  let position = 0;
  await writer.push([{ documentId, counter: ++position, base: 0, action: { create: { collection: 'bench', title: documentId, value: { text: '' } } } }]);
  const places: Place[] = [];
  let arrived: () => void = () => undefined;
  /** Each comes to the healthy subscriber as it is committed. */
  const arrival = (wanted: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`Position ${wanted} did not come to the subscriber that reads within ${arrivalTimeoutMs / 1000} s: ${healthy.wrong ?? `it is at ${healthy.position}`}.`)), arrivalTimeoutMs);
      arrived = () => {
        if (healthy.position < wanted) return;
        clearTimeout(late);
        resolve();
      };
    });
  const healthy = await openStallingSubscriber(endpoint, 'healthy', documentId, position, (newest, cursor) => {
    places.push({ position: newest, cursor });
    arrived();
  });
  const others: StallingSubscriber[] = [];

  /** Commits changes one after the other and returns what each took to the healthy subscriber. */
  async function commit(meanwhile: (share: number) => void = () => undefined): Promise<{ readonly waits: readonly number[]; readonly bytes: number }> {
    const waits: number[] = [];
    let bytes = 0;
    for (let n = 0; bytes < mib * 2 ** 20; n++) {
      const size = changeBytes[n % changeBytes.length]!;
      bytes += size;
      const start = performance.now();
      const wanted = position + 1;
      const arriving = arrival(wanted).then(() => void waits.push(performance.now() - start));
      const pushed = writer.push([{ documentId, counter: wanted, base: position, action: { patch: [{ op: 'replace', path: '/text', value: `${wanted} `.padEnd(size, 'x') }] } }]);
      await Promise.all([pushed, arriving]);
      position = wanted;
      meanwhile(bytes / (mib * 2 ** 20));
      await new Promise((resolve) => setTimeout(resolve, paceMs));
    }
    return { waits, bytes };
  }

  async function round(what: string, { live, start, meanwhile }: { readonly live: boolean; readonly start: () => void; readonly meanwhile?: (share: number) => void }): Promise<Stalled> {
    const beforeKiB = await heldKiB(endpoint.serverPid);
    const watch = watchMemory(endpoint.serverPid);
    start();
    const { waits, bytes } = await commit(meanwhile);
    const most = watch.mostKiB();
    const held = await heldKiB(endpoint.serverPid);
    say(`${what}: ${Math.round(beforeKiB / 1024)} MiB before, ${Math.round(most / 1024)} most, ${Math.round(held / 1024)} after garbage collection; they read again …`);
    const again = watchMemory(endpoint.serverPid);
    const goneOn = performance.now();
    for (const other of others) other.goOn();
    let late: string | null = null;
    await until(() => others.every((other) => other.wrong !== null || other.position === position), 'that all have read everything again', { timeoutMs: readAgainTimeoutMs, everyMs: 50 }).catch((error: unknown) => (late = (error as Error).message));
    const againKiB = again.mostKiB();
    if (others.length > 0) say(`… within ${Math.round((performance.now() - goneOn) / 1000)} s, with ${Math.round(againKiB / 1024)} MiB at most`);
    const sorted = ascending(waits);
    const told = others.filter(({ lagged }) => lagged > 0).length;
    const taken = ascending(others.map(({ bytesBeforeLagged }) => bytesBeforeLagged / 1024));
    const complete = others.filter((other) => other.wrong === null && other.position === position).length;
    return {
      what,
      told: others.length === 0 || !live ? null : told,
      takenKiB: others.length === 0 || !live ? null : percentile(taken, 0.5),
      committedMiB: bytes / 2 ** 20,
      beforeMiB: beforeKiB / 1024,
      mostMiB: most / 1024,
      heldMiB: held / 1024,
      againMiB: others.length === 0 ? 0 : againKiB / 1024,
      p50: percentile(sorted, 0.5),
      p99: percentile(sorted, 0.99),
      complete,
      wrong: others.find((other) => other.wrong !== null)?.wrong ?? healthy.wrong ?? late,
    };
  }

  // Warms up.
  await commit();
  const rounds = [await round('none', { live: true, start: () => undefined })];
  for (let opened = 0; opened < sockets; opened += openedAtOnce) {
    others.push(...(await Promise.all(Array.from({ length: Math.min(openedAtOnce, sockets - opened) }, (_, index) => openStallingSubscriber(endpoint, `reader-${opened + index}`, documentId, position)))));
  }
  say(`${others.length} subscribers are live`);
  rounds.push(await round('all at once', { live: true, start: () => others.forEach((other) => other.stop()) }));
  let stopped = 0;
  rounds.push(
    await round('one after the other', {
      live: true,
      start: () => (stopped = 0),
      // The last of them miss as much as the server keeps, too.
      meanwhile: (share) => {
        for (const upTo = Math.min(sockets, Math.ceil(share * 5 * sockets)); stopped < upTo; stopped++) others[stopped]!.stop();
      },
    }),
  );
  // Some hundred places, from the middle to the end of what the last round committed.
  const earlier = places.slice(-Math.ceil(places.length / 8));
  rounds.push(await round('while they catch up, each from a place of its own', { live: false, start: () => others.forEach((other, index) => other.stopAfter(earlier[index % earlier.length]!)) }));
  for (const reader of [healthy, ...others]) reader.close();
  writer.close();
  return rounds;
}

function watchMemory(pid: number): { readonly mostKiB: () => number } {
  let most = residentKiB(pid);
  const timer = setInterval(() => (most = Math.max(most, residentKiB(pid))), sampleMs);
  return {
    mostKiB() {
      clearInterval(timer);
      return most;
    },
  };
}
