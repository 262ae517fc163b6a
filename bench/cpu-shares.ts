import { existsSync, readFileSync, rmSync } from 'node:fs';
import { until } from './workload.js';

/** What the server spends its time on, as parts that a reader of the code would name. */
export const parts = ['socket read', 'messages', 'GraphQL', 'rights and limits', 'decide', 'append', 'commit loop', 'pg driver', 'feed', 'socket write', 'garbage collection', 'other'] as const;
export type Part = (typeof parts)[number];

/** Which part a file is of. The first that matches counts; a frame that matches none is its caller's. */
const places: readonly (readonly [RegExp, Part])[] = [
  [/\/node_modules\/(pg|pg-[a-z]+|postgres-[a-z]+)\/|\/server\/dist\/(commit\/connection|postgres\/)/, 'pg driver'],
  [/\/node_modules\/ws\/lib\/sender|\/server\/dist\/(socket-writer|frames)\./, 'socket write'],
  [/\/node_modules\/ws\//, 'socket read'],
  [/\/node_modules\/graphql-ws\/|\/server\/dist\/(websocket|keep-alive)\./, 'messages'],
  [/\/server\/dist\/(rate-limit|auth\/|read\/require-role|mask|audit)/, 'rights and limits'],
  [/\/server\/dist\/commit\/(decide|author-context|merge-bounds|document-state|refuse)/, 'decide'],
  [/\/server\/dist\/commit\/append/, 'append'],
  [/\/server\/dist\/(commit\/|engine)/, 'commit loop'],
  [/\/server\/dist\/(feed\/|notify|shared-results|stream)/, 'feed'],
  [/\/node_modules\/(graphql|graphql-yoga|@graphql-[a-z]+|@pothos|@envelop|@whatwg-node)\/|\/schema\/dist\/|\/server\/dist\/(yoga|operations|variables|query-limits|trusted-documents|context)/, 'GraphQL'],
];

/** Calls into the system that write to a socket, of the driver of PostgreSQL or of a WebSocket as their caller says. */
const writes = /^(writev|writeUtf8String|writeLatin1String|writeAsciiString|writeBuffer)$/;

interface Frame {
  readonly functionName: string;
  readonly url: string;
}

/** A CPU profile of V8, as far as it is read here. */
export interface CpuProfile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: Frame; readonly children?: readonly number[] }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const profileSignal = 'SIGUSR2';

/**
 * Options of node for a process that is profiled only while it is asked to be: sampling takes a tenth of a core even where nothing
 * runs, which would count as the process's own work.
 */
export function profiledOnSignal(file: string): readonly string[] {
  const source = `
    import { Session } from 'node:inspector';
    import { renameSync, writeFileSync } from 'node:fs';
    const session = new Session();
    let on = false;
    process.on('${profileSignal}', () => {
      on = !on;
      if (on) {
        session.connect();
        session.post('Profiler.enable');
        session.post('Profiler.setSamplingInterval', { interval: 500 });
        session.post('Profiler.start');
        return;
      }
      session.post('Profiler.stop', (_error, { profile }) => {
        session.disconnect();
        writeFileSync('${file}.part', JSON.stringify(profile));
        renameSync('${file}.part', '${file}');
      });
    });`;
  return ['--import', `data:text/javascript,${encodeURIComponent(source)}`];
}

/** The profile of a process started with `profiledOnSignal(file)` while `act` runs. */
export async function profileOf(pid: number, file: string, act: () => Promise<unknown>): Promise<CpuProfile> {
  rmSync(file, { force: true });
  process.kill(pid, profileSignal);
  await act();
  process.kill(pid, profileSignal);
  await until(() => existsSync(file), 'that the profile is written');
  return JSON.parse(readFileSync(file, 'utf8')) as CpuProfile;
}

/**
 * The share of each part in the busy time of a profile; they add up to 1. A sample belongs to the innermost frame that is of a part:
 * code of core, of node and of the engine is counted for who called it.
 */
export function shares({ nodes, samples, timeDeltas }: CpuProfile): ReadonlyMap<Part, number> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap(({ id, children }) => (children ?? []).map((child) => [child, id] as const)));
  const partOf = (leaf: number): Part | null => {
    const { functionName } = byId.get(leaf)!.callFrame;
    if (functionName === '(idle)') return null;
    if (functionName === '(garbage collector)') return 'garbage collection';
    let reads = false;
    for (let id: number | undefined = leaf; id !== undefined; id = parents.get(id)) {
      const { url, functionName: name } = byId.get(id)!.callFrame;
      // The start of the profile itself.
      if (url === 'node:inspector') return null;
      const part = places.find(([place]) => place.test(url))?.[1];
      if (part === 'pg driver' || part === 'socket write') return part;
      if (part !== undefined) return writes.test(functionName) ? 'socket write' : part;
      if (name === 'onStreamRead') reads = true;
    }
    return writes.test(functionName) ? 'socket write' : reads ? 'socket read' : 'other';
  };
  const known = new Map<number, Part | null>();
  const times = new Map<Part, number>(parts.map((part) => [part, 0]));
  let busy = 0;
  for (const [index, sample] of samples.entries()) {
    const delta = timeDeltas[index]!;
    let part = known.get(sample);
    if (part === undefined) known.set(sample, (part = partOf(sample)));
    if (part === null) continue;
    busy += delta;
    times.set(part, times.get(part)! + delta);
  }
  return new Map([...times].map(([part, time]) => [part, busy === 0 ? 0 : time / busy]));
}
