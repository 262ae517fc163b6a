import type pg from 'pg';
import type { Logger } from 'pino';

/** Remembers which tokens were used, for the column `last_used_at`. */
export interface TokenUse {
  /** Costs an entry in a set: call it with every operation. */
  note(tokenId: string): void;
  close(): Promise<void>;
}

/** Between two writes: a token's last use is known to about so long. */
const defaultEveryMs = 60_000;

/** One statement a minute for all tokens of the minute, behind the answers. A node that is killed forgets its last minute. */
export function createTokenUse({ db, log, now, everyMs = defaultEveryMs }: { readonly db: Pick<pg.Pool, 'query'>; readonly log: Logger; readonly now: () => Date; readonly everyMs?: number }): TokenUse {
  let used = new Set<string>();
  let writing: Promise<void> = Promise.resolve();

  async function write(): Promise<void> {
    if (used.size === 0) return;
    const ids = [...used];
    used = new Set();
    try {
      await db.query({
        name: 'concord-token-use',
        text: 'UPDATE tokens SET last_used_at = $2 WHERE id = ANY ($1::text[]) AND (last_used_at IS NULL OR last_used_at < $2)',
        values: [ids, now()],
      });
    } catch (error) {
      log.warn({ err: error, tokens: ids.length }, 'When tokens were used last could not be written; it is with their next use.');
    }
  }

  const timer = setInterval(() => {
    writing = writing.then(write);
  }, everyMs);
  timer.unref();

  return {
    note: (tokenId) => void used.add(tokenId),
    async close() {
      clearInterval(timer);
      await (writing = writing.then(write));
    },
  };
}
