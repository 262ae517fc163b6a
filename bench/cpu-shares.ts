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

/** What node writes with --cpu-prof, as far as it is read here. */
export interface CpuProfile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: Frame; readonly children?: readonly number[] }[];
  /** Microseconds of the monotonic clock, the one of `process.hrtime`. */
  readonly startTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** From and until, in microseconds of the monotonic clock. */
export interface Span {
  readonly from: number;
  readonly until: number;
}

/**
 * The share of each part in the busy time of a span; they add up to 1. A sample belongs to the innermost frame that is of a part:
 * code of core, of node and of the engine is counted for who called it.
 */
export function shares({ nodes, startTime, samples, timeDeltas }: CpuProfile, { from, until }: Span): ReadonlyMap<Part, number> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap(({ id, children }) => (children ?? []).map((child) => [child, id] as const)));
  const partOf = (leaf: number): Part | null => {
    const { functionName } = byId.get(leaf)!.callFrame;
    if (functionName === '(idle)') return null;
    if (functionName === '(garbage collector)') return 'garbage collection';
    let reads = false;
    for (let id: number | undefined = leaf; id !== undefined; id = parents.get(id)) {
      const { url, functionName: name } = byId.get(id)!.callFrame;
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
  let at = startTime;
  for (const [index, sample] of samples.entries()) {
    const delta = timeDeltas[index]!;
    at += delta;
    if (at < from || at > until) continue;
    let part = known.get(sample);
    if (part === undefined) known.set(sample, (part = partOf(sample)));
    if (part === null) continue;
    busy += delta;
    times.set(part, times.get(part)! + delta);
  }
  return new Map([...times].map(([part, time]) => [part, busy === 0 ? 0 : time / busy]));
}
