import { ConcordError, matches, type DocumentId } from '@concord/core';
import type { DocumentState } from './document-state.js';
import type { Queries, Selected, Selection } from './query.js';
import type { Commit, DocumentChange } from './store/store.js';

export type Unsubscribe = () => void;

interface Watched {
  readonly listener: () => void;
  /** Whether a change of this document may change the result. */
  concerns(id: DocumentId, change: DocumentChange): boolean;
}

/**
 * Tells who listens that a result may have changed. However many documents a transaction changed, and however many
 * transactions ran in one turn of the event loop, each listener is called once.
 */
export class Live {
  private readonly watched = new Set<Watched>();
  private readonly due = new Set<Watched>();
  private scheduled = false;
  private ended = false;

  /** To be called after each commit. */
  committed({ documents }: Commit): void {
    for (const watch of this.watched) {
      if (this.due.has(watch)) continue;
      for (const [id, change] of documents) {
        if (!visible(change) || !watch.concerns(id, change)) continue;
        this.due.add(watch);
        break;
      }
    }
    if (this.due.size === 0 || this.scheduled) return;
    this.scheduled = true;
    queueMicrotask(() => this.call());
  }

  document(id: DocumentId, listener: () => void): Unsubscribe {
    return this.add({ listener, concerns: (changed) => changed === id });
  }

  /** `shown` gives the ids in the last result, `selections` what else would come in. */
  query(selections: () => readonly Selection[], shown: () => ReadonlySet<DocumentId>, listener: () => void): Unsubscribe {
    return this.add({
      listener,
      concerns: (id, { after }) => shown().has(id) || (after !== undefined && selections().some((selection) => selects(selection, after))),
    });
  }

  /** Nobody is called any more. */
  end(): void {
    this.ended = true;
    this.watched.clear();
    this.due.clear();
  }

  private add(watch: Watched): Unsubscribe {
    if (this.ended) return () => undefined;
    this.watched.add(watch);
    return () => {
      this.watched.delete(watch);
      this.due.delete(watch);
    };
  }

  private call(): void {
    this.scheduled = false;
    const due = [...this.due];
    this.due.clear();
    for (const watch of due) {
      if (this.watched.has(watch)) callOfApp(watch.listener);
    }
  }
}

/**
 * A listener of the app must not stop the replica, nor the other listeners; its error is the app's to see, as an uncaught one, as it is
 * with listeners of an EventTarget.
 */
export function callOfApp(listener: () => void): void {
  try {
    listener();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

/** Moving an edit from pending to confirmed, for example, shows nothing new but the revision. */
const visible = ({ before, after }: DocumentChange): boolean =>
  before === undefined ||
  after === undefined ||
  before.value !== after.value ||
  before.deleted !== after.deleted ||
  before.revision !== after.revision ||
  before.title !== after.title ||
  before.pending.length !== after.pending.length;

function selects({ collection, ids, where, includeDeleted }: Selection, state: DocumentState): boolean {
  if (state.deleted && includeDeleted !== true) return false;
  if (collection !== undefined && state.collection !== collection) return false;
  if (ids !== undefined && !ids.includes(state.id)) return false;
  return (where ?? []).every((condition) => matches(state.value, condition));
}

/** A query whose result is told again whenever it may have changed. */
export class LiveSelection {
  private shown: ReadonlySet<DocumentId> = new Set();

  constructor(
    private readonly live: Live,
    private readonly queries: Queries,
    private readonly selection: Selection,
  ) {}

  /** Calls the listener with the result now, and after each change that may concern it. Throws as `Queries.select` does. */
  subscribe(listener: (rows: readonly Selected[]) => void): Unsubscribe {
    const first = this.select();
    const stop = this.live.query(() => [this.selection], () => this.shown, () => this.again(listener));
    callOfApp(() => listener(first));
    return stop;
  }

  private again(listener: (rows: readonly Selected[]) => void): void {
    let rows: readonly Selected[];
    try {
      rows = this.select();
    } catch (error) {
      // The file cannot be written now, for want of room say: no fault of the listener's. The next change brings the result.
      if (error instanceof ConcordError && error.code === 'UNAVAILABLE') return;
      throw error;
    }
    listener(rows);
  }

  private select(): readonly Selected[] {
    const rows = this.queries.select(this.selection);
    this.shown = new Set(rows.map(({ id }) => id));
    return rows;
  }
}
