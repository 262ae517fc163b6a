/**
 * Tables of a replica's file, one script a version; `PRAGMA user_version` says how many have run. A released script is never
 * edited: a change of the tables is a new script.
 *
 * `documents.value` is what the app sees. While edits are pending, `confirmed` keeps the value of `revision` as the server has
 * it; without pending edits the two are the same and `confirmed` is NULL. `revision` 0: the server does not have it yet.
 * `counter` is the highest counter of this replica that the log of the document is known to hold.
 *
 * `shown`: `value`, `deleted` and `updated_at` contain the edits of the outbox up to this `seq`, 0: none of them, and then `value` is
 * what the server has. Later ones are applied by whoever reads the row, so that an edit writes its outbox row and nothing else
 * while few rows are behind (`Unshown` says how many).
 *
 * `outbox.state`: 0 never sent (may still be squashed), 1 sent (frozen). `counter` is given at the first sending.
 * One tree and no index beside it: a local edit writes one page of it.
 *
 * `conflicts.side`: which of the two edits was made here. `restore`: the patch that brings back what was lost, for what the app sees with
 * the edits of the outbox up to `seen_seq`; NULL: there is none. See `carried`.
 *
 * `undo.side`: 0 undoes an edit made here, 1 redoes one. `patch` runs on the value that the newer steps of the document leave, `kind` is
 * what the edit was. Bounded (`UndoRows`).
 *
 * `quarantine.replaced`: what was at the places of the patch before it, see `Replaced`; `revision`: of the document it was made on.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

  CREATE TABLE documents (
    id TEXT PRIMARY KEY NOT NULL,
    collection TEXT NOT NULL,
    title TEXT NOT NULL,
    value TEXT NOT NULL,
    deleted INTEGER NOT NULL,
    confirmed TEXT,
    confirmed_deleted INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    position INTEGER NOT NULL,
    counter INTEGER NOT NULL,
    left_filter INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    round INTEGER NOT NULL DEFAULT 0
  );
  CREATE INDEX documents_by_collection ON documents (collection, id);

  CREATE TABLE outbox (
    document TEXT NOT NULL,
    seq INTEGER NOT NULL,
    patch_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    patch TEXT NOT NULL,
    collection TEXT,
    title TEXT,
    state INTEGER NOT NULL DEFAULT 0,
    counter INTEGER,
    created_at TEXT NOT NULL,
    PRIMARY KEY (document, seq)
  ) WITHOUT ROWID;

  CREATE TABLE conflicts (
    id INTEGER PRIMARY KEY,
    document TEXT NOT NULL,
    revision INTEGER,
    patch_id TEXT NOT NULL,
    detail TEXT NOT NULL,
    found_at TEXT NOT NULL
  );
  CREATE INDEX conflicts_by_document ON conflicts (document, id);

  CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY,
    document TEXT NOT NULL,
    patch_id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    patch TEXT NOT NULL,
    collection TEXT,
    title TEXT,
    code TEXT NOT NULL,
    message TEXT NOT NULL,
    path TEXT,
    operation INTEGER,
    created_at TEXT NOT NULL,
    refused_at TEXT NOT NULL
  );
  `,
  `
  ALTER TABLE documents ADD COLUMN shown INTEGER NOT NULL DEFAULT 0;
  UPDATE documents SET shown = (SELECT max(seq) FROM outbox WHERE document = documents.id) WHERE id IN (SELECT document FROM outbox);
  `,
  `
  ALTER TABLE quarantine ADD COLUMN revision INTEGER;
  ALTER TABLE quarantine ADD COLUMN replaced TEXT NOT NULL DEFAULT '[]';
  `,
  `
  ALTER TABLE conflicts ADD COLUMN side TEXT NOT NULL DEFAULT 'later';
  ALTER TABLE conflicts ADD COLUMN other_patch TEXT;
  ALTER TABLE conflicts ADD COLUMN author TEXT;
  ALTER TABLE conflicts ADD COLUMN restore TEXT;
  ALTER TABLE conflicts ADD COLUMN seen_seq INTEGER NOT NULL DEFAULT 0;
  `,
  `
  CREATE TABLE undo (
    document TEXT NOT NULL,
    id INTEGER NOT NULL,
    side INTEGER NOT NULL,
    grp INTEGER NOT NULL,
    patch_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    patch TEXT NOT NULL,
    PRIMARY KEY (document, id)
  ) WITHOUT ROWID;
  `,
  `
  CREATE TABLE kept (
    id INTEGER PRIMARY KEY,
    document TEXT NOT NULL,
    reason TEXT NOT NULL,
    collection TEXT NOT NULL,
    title TEXT NOT NULL,
    value TEXT NOT NULL,
    revision INTEGER NOT NULL,
    server_revision INTEGER,
    kept_at TEXT NOT NULL
  );
  `,
];
