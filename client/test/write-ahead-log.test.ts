import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Database } from 'better-sqlite3';
import { openDatabase } from '../store/open.js';
import { WriteAheadLog } from '../store/write-ahead-log.js';

describe('the write-ahead log', () => {
  let folder: string;
  let database: Database;
  /** Timers that run when the test says so. */
  const due: (() => void)[] = [];
  const timers = { set: (callback: () => void) => due.push(callback), clear: () => void due.splice(0) };
  const pass = (): void => due.splice(0).forEach((callback) => callback());
  const waiting = (): number => {
    const [{ log, checkpointed }] = database.pragma('wal_checkpoint(NOOP)') as [{ readonly log: number; readonly checkpointed: number }];
    return log - checkpointed;
  };
  const write = (documents: number): void => {
    const insert = database.prepare('INSERT INTO meta (key, value) VALUES (?, ?)');
    const from = (database.prepare('SELECT count(*) AS n FROM meta').get() as { readonly n: number }).n;
    database.transaction(() => {
      for (let n = from; n < from + documents; n++) insert.run(`key-${String(n).padStart(9, '0')}`, 'x'.repeat(1000));
    })();
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'concord-log-'));
    database = openDatabase(join(folder, 'r.db'), 'normal');
  });
  afterEach(() => {
    due.length = 0;
    database.close();
    rmSync(folder, { recursive: true });
  });

  it('is moved into the database when nothing was written for a while, and not before', () => {
    const log = new WriteAheadLog(database, timers);
    write(6000);
    log.written();
    const pages = waiting();
    expect(pages).toBeGreaterThan(1000);
    pass();
    // Still writing: an idle moment has not been seen yet.
    write(1);
    log.written();
    pass();
    expect(waiting()).toBeGreaterThan(1000);
    pass();
    expect(waiting()).toBe(0);
    expect(due).toHaveLength(0);
  });

  it('is left alone while it is short', () => {
    const log = new WriteAheadLog(database, timers);
    write(10);
    log.written();
    const pages = waiting();
    pass();
    pass();
    expect(waiting()).toBe(pages);
    expect(due).toHaveLength(0);
  });

  it('does not touch a database that was closed', () => {
    const log = new WriteAheadLog(database, timers);
    write(10);
    log.written();
    const late = [...due];
    log.close();
    database.close();
    expect(() => late.forEach((callback) => callback())).not.toThrow();
  });
});
