import type { Path } from './operation.js';

interface Node<Entry> {
  entry: Entry | undefined;
  readonly below: Map<string | number, Node<Entry>>;
}

const empty = <Entry>(): Node<Entry> => ({ entry: undefined, below: new Map() });

/** A tree from typed paths to entries: the last writer of each place while the places keep their paths. */
export class Writers<Entry> {
  private readonly root = empty<Entry>();

  get(path: Path): Entry | undefined {
    return this.nodeAt(path)?.entry;
  }

  set(path: Path, entry: Entry): void {
    let node = this.root;
    for (const segment of path) {
      let next = node.below.get(segment);
      if (next === undefined) node.below.set(segment, (next = empty()));
      node = next;
    }
    node.entry = entry;
  }

  forget(path: Path): void {
    const node = this.nodeAt(path);
    if (node !== undefined) node.entry = undefined;
  }

  /** Forgets everything strictly inside a container, whose items have shifted. */
  forgetInside(path: Path): void {
    this.nodeAt(path)?.below.clear();
  }

  /** The entry nearest to the root on the way to `path` (itself included) that `wanted` accepts, and its depth. */
  outermost(path: Path, wanted: (entry: Entry) => boolean): { readonly entry: Entry; readonly depth: number } | undefined {
    let node: Node<Entry> | undefined = this.root;
    for (let depth = 0; node !== undefined; depth++) {
      if (node.entry !== undefined && wanted(node.entry)) return { entry: node.entry, depth };
      if (depth === path.length) return undefined;
      node = node.below.get(path[depth] as string | number);
    }
    return undefined;
  }

  /** The entries at `path` and inside it, which are forgotten. */
  takeAtAndInside(path: Path): readonly Entry[] {
    const node = this.nodeAt(path);
    if (node === undefined) return [];
    const taken: Entry[] = [];
    const left = [node];
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      if (next.entry !== undefined) taken.push(next.entry);
      for (const inner of next.below.values()) left.push(inner);
    }
    node.entry = undefined;
    node.below.clear();
    return taken;
  }

  private nodeAt(path: Path): Node<Entry> | undefined {
    let node: Node<Entry> | undefined = this.root;
    for (const segment of path) {
      node = node.below.get(segment);
      if (node === undefined) return undefined;
    }
    return node;
  }
}
