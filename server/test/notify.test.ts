import pg from 'pg';
import { pino } from 'pino';
import { expect, inject, it } from 'vitest';
import { openPostgresNotifications } from '../notify-postgres.js';

const log = pino({ level: 'silent' });
const channel = `notify_test_${process.pid}`;

it('Hints reach every node, also after the connection broke, and the break is told', async () => {
  const connectionString = inject('postgresUrl');
  const here = await openPostgresNotifications({ connectionString, log });
  const there = await openPostgresNotifications({ connectionString, log });
  const admin = new pg.Client({ connectionString });
  await admin.connect();
  try {
    const heard: string[] = [];
    let wake: () => void = () => undefined;
    const until = async (payload: string) => {
      while (!heard.includes(payload)) await new Promise<void>((resolve) => (wake = resolve));
    };
    const unsubscribe = there.subscribe(channel, (payload) => {
      heard.push(payload);
      wake();
    });
    // Asked of the same connection after its LISTEN, so that the LISTEN is in force.
    await there.publish(channel, 'ready');
    await until('ready');
    await here.publish(channel, 'one');
    await until('one');

    const gap = new Promise<void>((resolve) => there.onGap(resolve));
    await admin.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'concord-notify' AND datname = current_database()`);
    await gap;
    await admin.query('SELECT pg_notify($1, $2)', [channel, 'two']);
    await until('two');

    unsubscribe();
    await there.publish(channel, 'unheard');
    expect(heard).toEqual(['ready', 'one', 'two']);
  } finally {
    await Promise.all([here.close(), there.close(), admin.end()]);
  }
});
