import { readdirSync, readFileSync } from 'node:fs';

/** Of Linux; 0 elsewhere. */
const ticksPerSecond = 100;

/** CPU seconds of a process and everything below it, from /proc; 0 where there is none. */
export function cpuSeconds(pid: number, { below = true } = {}): number {
  if (!below) return statOf(pid)?.seconds ?? 0;
  const children = new Map<number, number[]>();
  const stats = new Map<number, Stat>();
  for (const name of folderOf('/proc')) {
    const id = Number(name);
    if (!Number.isInteger(id)) continue;
    const stat = statOf(id);
    if (stat === undefined) continue;
    stats.set(id, stat);
    children.set(stat.parent, [...(children.get(stat.parent) ?? []), id]);
  }
  const sum = (id: number): number => (stats.get(id)?.secondsWithReaped ?? 0) + (children.get(id) ?? []).reduce((total, child) => total + sum(child), 0);
  return sum(pid);
}

/** Resident memory in KiB; 0 where /proc does not tell. */
export function residentKiB(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

const collectSignal = 'SIGUSR2';
/** Options of node for a server whose memory is measured: it collects its garbage when it is told to. */
export const collectsOnSignal = ['--expose-gc', '--import', `data:text/javascript,process.on('${collectSignal}',()=>gc())`] as const;

/**
 * What an idle server process started with `collectsOnSignal` holds on to, in KiB: the least of several readings after its garbage
 * was collected. Without that, what a run of connections leaves to be collected outweighs what they hold.
 */
export async function heldKiB(pid: number): Promise<number> {
  let least = Infinity;
  for (let reading = 0; reading < 4; reading++) {
    process.kill(pid, collectSignal);
    await new Promise((resolve) => setTimeout(resolve, 400));
    least = Math.min(least, residentKiB(pid));
  }
  return least;
}

interface Stat {
  readonly parent: number;
  readonly seconds: number;
  readonly secondsWithReaped: number;
}

function statOf(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold spaces; what follows it begins with the state.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const field = (index: number) => Number(fields[index]);
    const own = (field(11) + field(12)) / ticksPerSecond;
    return { parent: field(1), seconds: own, secondsWithReaped: own + (field(13) + field(14)) / ticksPerSecond };
  } catch {
    return undefined;
  }
}

function folderOf(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
