import pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Position, WorkspaceId } from '@concord/core';
import { feedChannel, Hints } from '../feed/hints.js';
import { openPostgresNotifications } from '../notify-postgres.js';
import { gapChannel, type Notifications } from '../notify.js';
import { openCuttableProxy } from './cuttable-proxy.js';
import { dropDatabase, newDatabase } from './harness.js';

const quiet = pino({ level: 'silent' });
const soon = { everyMs: 50, deadlineMs: 200 };

/** Hints as they are heard, to wait for. */
function hear(notify: Notifications, channel: string) {
  const heard: string[] = [];
  let wake: () => void = () => undefined;
  const stop = notify.subscribe(channel, (payload) => {
    heard.push(payload);
    wake();
  });
  return {
    heard,
    stop,
    async until(payload: string) {
      while (!heard.includes(payload)) await new Promise<void>((resolve) => (wake = resolve));
    },
  };
}

const gapOf = (notify: Notifications) => new Promise<void>((resolve) => notify.onGap(resolve));

describe('Hints over PostgreSQL', () => {
  let databaseUrl: string;
  let admin: pg.Client;
  const opened: Notifications[] = [];
  beforeAll(async () => {
    databaseUrl = await newDatabase();
    admin = new pg.Client({ connectionString: databaseUrl });
    await admin.connect();
  });
  afterAll(async () => {
    for (const notify of opened) await notify.close();
    await admin.end();
    await dropDatabase(databaseUrl);
  });

  async function open(connectionString = databaseUrl, log = quiet, heartbeat = soon): Promise<Notifications> {
    const notify = await openPostgresNotifications({ connectionString, log, heartbeat });
    opened.push(notify);
    return notify;
  }

  it('reach every node, also after the connection broke, and the break is told', async () => {
    const [here, there] = [await open(), await open()];
    const theirs = hear(there, 'break');
    // Asked of the same connection after its LISTEN, so that the LISTEN is in force.
    await there.publish('break', 'ready');
    await theirs.until('ready');
    await here.publish('break', 'one');
    await theirs.until('one');

    const gap = gapOf(there);
    await admin.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'concord-notify' AND datname = current_database()`);
    await gap;
    await admin.query('SELECT pg_notify($1, $2)', ['break', 'two']);
    await theirs.until('two');

    theirs.stop();
    await there.publish('break', 'unheard');
    expect(theirs.heard).toEqual(['ready', 'one', 'two']);
  });

  it('flow again soon after a connection fell silent without breaking, and publishing meanwhile gathers nothing', async () => {
    const proxy = await openCuttableProxy(databaseUrl);
    const [here, there] = [await open(), await open(proxy.url)];
    const theirs = hear(there, 'silent');
    await there.publish('silent', 'ready');
    await theirs.until('ready');
    const gap = gapOf(there);
    void proxy.holdAnswers();
    const began = performance.now();
    await Promise.all(Array.from({ length: 5_000 }, () => there.publish('silent', 'lost')));
    await gap;
    expect(performance.now() - began).toBeLessThan(3_000);
    await here.publish('silent', 'back');
    await theirs.until('back');
    await there.close();
    await proxy.close();
  });

  it('that were given up are told to the others as a gap', async () => {
    const proxy = await openCuttableProxy(databaseUrl);
    const [here, there] = [await open(proxy.url), await open()];
    await there.publish('ready', '');
    const gap = gapOf(there);
    const ownGap = gapOf(here);
    proxy.breakAll();
    // It may be taken before the break is noticed; one of these is not.
    for (let hint = 0; hint < 20; hint++) await here.publish('given-up', 'lost');
    await ownGap;
    await gap;
    await here.close();
    await proxy.close();
  });

  /** The database is asked in between, so that time and messages pass. */
  async function untilAlone(notify: Notifications): Promise<void> {
    while (!notify.alone) await admin.query('SELECT pg_sleep(0.01)');
  }

  describe('of where a workspace is', () => {
    const [workspace, at] = ['w' as WorkspaceId, (position: number) => position as Position];
    const hintsOf = (notify: Notifications, seen: (position: Position) => void = () => undefined) => new Hints(notify, (_, position) => seen(position), () => undefined);

    /** A database of its own, with a connection that hears what nodes tell each other there. */
    async function overheardDatabase() {
      const url = await newDatabase();
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      for (const channel of [gapChannel, feedChannel]) await client.query(`LISTEN ${channel}`);
      const next = (of: string) =>
        new Promise<string>((resolve) => {
          client.on('notification', ({ channel, payload }) => {
            if (channel === of) resolve(payload ?? '');
          });
        });
      return {
        url,
        gap: next(gapChannel),
        hint: next(feedChannel),
        async drop() {
          await client.end();
          await dropDatabase(url);
        },
      };
    }

    it('are sent to nobody by a node that is alone, and to a node that comes after it was told to look', async () => {
      const overheard = await overheardDatabase();
      const beats = { everyMs: 500, deadlineMs: 200 };
      const here = await open(overheard.url, quiet, beats);
      const mine = hintsOf(here);
      await untilAlone(here);
      mine.tell(workspace, at(1));

      const there = await open(overheard.url, quiet, beats);
      const seen = new Promise<Position>((resolve) => hintsOf(there, resolve));
      await overheard.gap;
      expect(here.alone).toBe(false);
      mine.tell(workspace, at(2));
      expect(await seen).toBe(2);
      expect(await overheard.hint).toBe('{"w":2}');

      await there.close();
      await untilAlone(here);
      await mine.close();
      await here.close();
      await overheard.drop();
    });

    it('are made up for where a node that was alone did not hear another come', async () => {
      const overheard = await overheardDatabase();
      const proxy = await openCuttableProxy(overheard.url);
      const here = await open(proxy.url, quiet, { ...soon, deadlineMs: 1_000 });
      await untilAlone(here);
      void proxy.holdAnswers();
      // It believes for longer than this takes that there are others, and asks nobody to look.
      const there = await open(overheard.url, quiet, { everyMs: 60_000, deadlineMs: 60_000 });
      await overheard.gap;
      await here.close();
      await there.close();
      await proxy.close();
      await overheard.drop();
    });
  });

  it('leave no connection behind where listening fails again and again', async () => {
    const own = await newDatabase();
    const listening = async (): Promise<number> =>
      (await admin.query(`SELECT FROM pg_stat_activity WHERE application_name = 'concord-notify' AND datname = $1`, [new URL(own).pathname.slice(1)])).rowCount ?? 0;
    let breaks = 0;
    let wake: () => void = () => undefined;
    const log = pino({ level: 'warn' }, {
      write() {
        breaks += 1;
        wake();
      },
    });
    const failing = await open(own, log);
    // No channel can have this name: each LISTEN is refused.
    failing.subscribe('', () => undefined);
    while (breaks < 5) await new Promise<void>((resolve) => (wake = resolve));
    await failing.close();
    while ((await listening()) > 0) await admin.query('SELECT pg_sleep(0.02)');
    await dropDatabase(own);
  });
});
