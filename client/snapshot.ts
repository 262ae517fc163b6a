import type { DocumentId } from '@concord/core';
import { adopt } from './adopt.js';
import type { SnapshotQuery } from './generated/graphql.js';
import { turn, type Pull } from './pull.js';
import type { Store } from './store/store.js';

type Page = SnapshotQuery['snapshot'];

/** Documents written in one transaction; about 10 ms of work at 1 kB. */
const sliceDocuments = 250;

/**
 * First sync and resync: takes all documents a page at a time, rebases what is pending on them, drops what the server no
 * longer has, and stores the cursor from which the feed continues, last of all. Interrupted, it starts again.
 */
export async function takeSnapshot(store: Store, pull: Pull, readPage: (after: string | null) => Promise<Page>): Promise<void> {
  const round = store.checkpoint.get().round + 1;
  store.transact(() => store.checkpoint.set({ round, checkpoint: null }));
  const met = new Set<DocumentId>();
  let page: Page | undefined;
  do {
    // The next page travels while this one is written.
    const reading: Promise<Page> = readPage(page?.next ?? null);
    if (page !== undefined) await writePage(store, page, round, met);
    page = await reading;
  } while (page.next !== null);
  await writePage(store, page, round, met);

  // Those only created here are not asked for, unless the server turned out to have a document of that id.
  const pending = [...store.waiting].filter((id) => {
    const state = store.read(id);
    return state !== undefined && (met.has(id) || state.revision > 0 || state.pending.some(({ counter }) => counter !== null));
  });
  await pull.fetch(pending, round);
  const { cursor, epoch } = page;
  store.transact(() => {
    for (const id of store.documents.untouchedSince(round)) {
      if (store.read(id)?.pending.length === 0) store.delete(id);
    }
    store.checkpoint.set({ checkpoint: cursor, epoch });
  });
}

async function writePage(store: Store, page: Page, round: number, met: Set<DocumentId>): Promise<void> {
  for (let start = 0; start < page.documents.length; start += sliceDocuments) {
    store.transact(() => {
      for (const document of page.documents.slice(start, start + sliceDocuments)) {
        const before = store.read(document.id as DocumentId);
        // Documents with pending edits are fetched with their clocks at the end.
        if (before !== undefined && before.pending.length > 0) {
          met.add(before.id);
          continue;
        }
        const adopted = adopt(undefined, { ...document, counter: before?.counter ?? 0, patchId: null });
        if (adopted.ok) store.write(adopted.value.state, round);
      }
    });
    await turn();
  }
}
