import { fail, ok, type Result } from './errors.js';
import type { Pointer } from './operation.js';
import { formatPointer } from './pointer.js';
import { parsePatterns, PathPatterns } from './path-patterns.js';

/**
 * What an app declares of a collection. Paths are JSON pointers in which `*` stands for any one key or index.
 *
 *     { text: ['/body', '/items/*\/label'], counters: ['/likes'] }
 */
export interface CollectionDefinition {
  /** Texts that several people write at once: a changed one is said as insertions and deletions, which merge. Others are values: the later one stays. */
  readonly text?: readonly string[];
  /** Whole numbers that count: a changed one is said as what was added to it, and adds up. Others are values. */
  readonly counters?: readonly string[];
}

/** A definition that was read. */
export interface Definition {
  readonly text: PathPatterns;
  readonly counters: PathPatterns;
  /** The same for two definitions exactly when they declare the same. */
  readonly digest: string;
}

const members = ['text', 'counters'] as const;

/**
 * Reads what an app declares. Refuses with `INPUT_INVALID` what is no definition, a member that is not known (so that nobody relies
 * on what is not done), and a path declared twice for different things; with `POINTER_INVALID` a path that is none.
 */
export function parseDefinition(json: unknown): Result<Definition> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return refuse('A collection definition is an object, like { text: ["/body"] }', '');
  const unknownMember = Object.keys(json).find((key) => !(members as readonly string[]).includes(key));
  if (unknownMember !== undefined) return refuse(`A collection definition has no "${unknownMember}"; it may have ${members.join(' and ')}`, `/${unknownMember}`);

  const declared = { text: [] as readonly Pointer[], counters: [] as readonly Pointer[] };
  for (const member of members) {
    const list: unknown = (json as Record<string, unknown>)[member];
    if (list === undefined) continue;
    const parsed = parsePatterns(list);
    if (!parsed.ok) return fail({ ...parsed.error, path: `/${member}${parsed.error.path ?? ''}` });
    declared[member] = parsed.value;
  }
  const texts = new Set(declared.text.map(formatPointer));
  const both = declared.counters.findIndex((pattern) => texts.has(formatPointer(pattern)));
  if (both >= 0) return refuse(`"${formatPointer(declared.counters[both]!)}" is declared a text and a counter; it can be one of them`, `/counters/${both}`);
  return ok({
    text: new PathPatterns(declared.text),
    counters: new PathPatterns(declared.counters),
    digest: JSON.stringify(members.map((member) => [...new Set(declared[member].map(formatPointer))].sort())),
  });
}

const refuse = (message: string, path: string): Result<never> => fail({ code: 'INPUT_INVALID', message, path });

/** What holds of a collection that nothing is declared of: everything is a value. */
export const noDefinition: Definition = { text: new PathPatterns([]), counters: new PathPatterns([]), digest: JSON.stringify([[], []]) };
