import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { findDrift } from '../postgres/drift.js';
import { migrate } from '../postgres/migrate.js';

const log = pino({ level: 'silent' });

describe('The migrations', () => {
  const name = `migrations_${randomBytes(6).toString('hex')}`;
  const admin = new pg.Client({ connectionString: inject('postgresUrl') });
  const url = new URL(inject('postgresUrl'));
  url.pathname = `/${name}`;

  beforeAll(async () => {
    await admin.connect();
    await admin.query(`CREATE DATABASE ${name}`);
    await admin.query(`CREATE DATABASE ${name}_drift`);
    await admin.query(`CREATE DATABASE ${name}_other`);
  });
  afterAll(async () => {
    await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
    await admin.query(`DROP DATABASE ${name}_drift WITH (FORCE)`);
    await admin.query(`DROP DATABASE ${name}_other WITH (FORCE)`);
    await admin.end();
  });

  it('make exactly the tables of schema.prisma', async () => {
    const empty = new URL(url);
    empty.pathname = `/${name}_drift`;
    expect(await findDrift(empty.href)).toBe('');
  });

  it('would show a column that schema.prisma has and they have not', async () => {
    const empty = new URL(url);
    empty.pathname = `/${name}_other`;
    const drift = await findDrift(empty.href, (schema) => schema.replace('model Principal {', 'model Principal {\n  nickname String?'));
    expect(drift).toContain('ADD COLUMN     "nickname" TEXT');
  });

  it('are applied once, also when several nodes start at the same moment', async () => {
    const applied = await Promise.all([migrate(url.href, log), migrate(url.href, log), migrate(url.href, log)]);
    expect(applied.flat()).toEqual([...new Set(applied.flat())]);
    expect(applied.flat().length).toBeGreaterThan(0);
    expect(await migrate(url.href, log)).toEqual([]);
  });

  it('leave room on the page for the next version of a head and of the feed counter', async () => {
    const client = new pg.Client({ connectionString: url.href });
    await client.connect();
    const { rows } = await client.query<{ relname: string; reloptions: string[] }>(`SELECT relname, reloptions FROM pg_class WHERE relname IN ('documents', 'workspaces') ORDER BY 1`);
    await client.end();
    expect(rows).toEqual([
      { relname: 'documents', reloptions: ['fillfactor=70'] },
      { relname: 'workspaces', reloptions: ['fillfactor=50'] },
    ]);
  });
});
