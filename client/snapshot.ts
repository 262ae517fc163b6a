import type { DocumentId } from '@concord/core';
import { adopt } from './adopt.js';
import type { DocumentState } from './document-state.js';
import type { SnapshotQuery } from './generated/graphql.js';
import { HistoryKeeper } from './kept-documents.js';
import { turn, type Pull } from './pull.js';
import type { Store } from './store/store.js';

type Page = SnapshotQuery['snapshot'];

/** Documents written in one transaction; about 10 ms of work at 1 kB. */
const sliceDocuments = 250;

export interface SnapshotSurroundings {
  readonly readPage: (after: string | null) => Promise<Page>;
  /** Whether a document is in the filter of the replica. */
  readonly inFilter: (state: DocumentState) => boolean;
  readonly timestamp: () => string;
}

/**
 * First sync and resync: takes all documents a page at a time, rebases what is pending on them, drops what the server no
 * longer has, and stores the cursor from which the feed continues, last of all. Interrupted, it starts again. Where the history is
 * another one than before, what the file holds otherwise than the server is kept for the app to decide on.
 */
export async function takeSnapshot(store: Store, pull: Pull, { readPage, inFilter, timestamp }: SnapshotSurroundings): Promise<void> {
  const { taking, epoch: epochBefore, historyId, round: roundBefore } = store.checkpoint.get();
  const round = roundBefore + 1;
  const keeperOf = ({ epoch, history }: Page): HistoryKeeper | undefined => (taking !== null || epoch !== epochBefore || history !== historyId ? new HistoryKeeper(store, timestamp) : undefined);
  store.transact(() => store.checkpoint.set({ round, checkpoint: null }));
  const met = new Set<DocumentId>();
  let page: Page | undefined;
  do {
    // The next page travels while this one is written.
    const reading: Promise<Page> = readPage(page?.next ?? null);
    if (page !== undefined) await writePage(store, page, { round, met, keeper: keeperOf(page) });
    page = await reading;
  } while (page.next !== null);
  const keeper = keeperOf(page);
  await writePage(store, page, { round, met, keeper });

  // Those only created here are not asked for, unless the server turned out to have a document of that id.
  const pending = [...store.waiting].filter((id) => {
    const state = store.read(id);
    return state !== undefined && (met.has(id) || state.revision > 0 || state.pending.some(({ counter }) => counter !== null));
  });
  await pull.fetch(pending, round, keeper);
  if (keeper !== undefined) await keepUntouched(store, pull, { round, keeper, inFilter });
  const { cursor, epoch, history } = page;
  store.transact(() => {
    for (const id of store.documents.untouchedSince(round)) {
      if (store.read(id)?.pending.length === 0) store.delete(id);
    }
    store.checkpoint.set({ checkpoint: cursor, epoch, historyId: history, taking: null });
  });
}

/** What the pages did not have: the server may have deleted it, or never had it. */
async function keepUntouched(store: Store, pull: Pull, { round, keeper, inFilter }: { readonly round: number; readonly keeper: HistoryKeeper; readonly inFilter: (state: DocumentState) => boolean }): Promise<void> {
  const untouched = store.documents.untouchedSince(round).filter((id) => store.read(id)?.pending.length === 0);
  await pull.fetch(untouched, round, keeper);
  store.transact(() => {
    for (const id of untouched) {
      const state = store.read(id);
      if (state !== undefined && state.pending.length === 0 && !inFilter(state)) store.delete(id);
    }
  });
}

interface PageWriting {
  readonly round: number;
  /** Documents with pending edits, which are fetched with their clocks at the end. */
  readonly met: Set<DocumentId>;
  readonly keeper: HistoryKeeper | undefined;
}

async function writePage(store: Store, page: Page, { round, met, keeper }: PageWriting): Promise<void> {
  for (let start = 0; start < page.documents.length; start += sliceDocuments) {
    store.transact(() => {
      for (const document of page.documents.slice(start, start + sliceDocuments)) {
        const before = store.read(document.id as DocumentId);
        if (before !== undefined && before.pending.length > 0) {
          met.add(before.id);
          continue;
        }
        if (before !== undefined) keeper?.keep(before, document);
        const adopted = adopt(undefined, { ...document, counter: before?.counter ?? 0, patchId: null });
        if (adopted.ok) store.write(adopted.value.state, round);
      }
    });
    await turn();
  }
}
