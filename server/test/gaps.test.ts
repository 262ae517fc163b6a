import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pino } from 'pino';
import { startRedisServer, type RedisServer } from '../../test/redis-server.js';
import { Listeners } from '../notify.js';
import { openSession } from './raw-socket.js';
import { startTestServer, type TestServer } from './harness.js';

/** Three tokens in use on each of two nodes, as each of them knows them. */
class TwoNodes {
  readonly opened: TestServer[] = [];
  private tokens: readonly string[] = [];

  constructor(private readonly redisUrl: string | null) {}

  async start(beside?: TestServer): Promise<TestServer> {
    const server = await startTestServer({ ...(beside === undefined ? {} : { beside }), config: { redisUrl: this.redisUrl, feedPollMs: 60_000 } });
    this.opened.push(server);
    return server;
  }

  async useThreeTokens(): Promise<void> {
    const [one] = this.opened;
    this.tokens = [await one!.newToken('EDITOR'), await one!.newToken('EDITOR'), await one!.newToken('VIEWER')];
    await this.expectAnswers();
  }

  /** A process that does not answer fails this, and every test after it. */
  async expectAnswers(): Promise<void> {
    for (const server of this.opened) {
      for (const token of this.tokens) expect((await server.graphql('{ viewer { id } }', {}, token)).errors).toEqual([]);
    }
  }

  /** Until a revocation on the first node ends a socket on the last: hints flow again, and what is believed was told apart. */
  async expectHints(): Promise<void> {
    const [one, other] = [this.opened[0]!, this.opened.at(-1)!];
    const token = await one.newToken('EDITOR');
    const socket = await openSession(other.wsUrl, token);
    await one.graphql('mutation ($id: ID!) { revokeToken(id: $id) }', { id: token.split('.')[0] }, one.adminToken);
    expect(await socket.closed).toMatchObject({ code: 4401 });
  }

  async close(): Promise<void> {
    for (const server of this.opened.reverse()) await server.close();
  }
}

describe('A gap in the hints, with three tokens in use on two nodes that share PostgreSQL', () => {
  const nodes = new TwoNodes(null);
  let admin: pg.Client;
  beforeAll(async () => {
    const one = await nodes.start();
    await nodes.start(one);
    await nodes.useThreeTokens();
    admin = new pg.Client({ connectionString: one.databaseUrl });
    await admin.connect();
  });
  afterAll(async () => {
    await admin.end();
    await nodes.close();
  });

  const listening = async (): Promise<readonly number[]> =>
    (await admin.query<{ pid: number }>(`SELECT pid FROM pg_stat_activity WHERE application_name = 'concord-notify' AND datname = current_database() AND query <> ''`)).rows.map(({ pid }) => pid);

  /** Ends these connections and waits for as many others that listen. */
  async function cut(which: string): Promise<void> {
    const before = await listening();
    await admin.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND ${which}`);
    while ((await listening()).filter((pid) => !before.includes(pid)).length < 2) await admin.query('SELECT pg_sleep(0.02)');
  }

  it('stops nobody when the connections that listen are cut', async () => {
    await cut(`application_name = 'concord-notify'`);
    await nodes.expectAnswers();
    await nodes.expectHints();
  });

  it('stops nobody when every connection to the database ends, as after a restart of PostgreSQL', async () => {
    await cut('true');
    await nodes.expectAnswers();
    await nodes.expectHints();
  });

  it('stops nobody when another node starts', async () => {
    await nodes.start(nodes.opened[0]);
    await nodes.expectAnswers();
    await nodes.expectHints();
  });
});

describe('A gap in the hints, with three tokens in use on two nodes that share Redis', () => {
  let redis: RedisServer;
  let nodes: TwoNodes;
  beforeAll(async () => {
    redis = await startRedisServer();
    nodes = new TwoNodes(redis.url);
    const one = await nodes.start();
    await nodes.start(one);
    await nodes.useThreeTokens();
  });
  afterAll(async () => {
    await nodes.close();
    await redis.close();
  });

  it('stops nobody when Redis is restarted', async () => {
    await redis.kill();
    await nodes.expectAnswers();
    await redis.restart();
    await nodes.expectAnswers();
    await nodes.expectHints();
  });

  it('stops nobody when Redis stalls for a while', async () => {
    redis.stall();
    await nodes.expectAnswers();
    redis.goOn();
    await nodes.expectAnswers();
    await nodes.expectHints();
  });
});

describe('Who listens to hints', () => {
  it('may stop and listen anew while being told, and is told once', () => {
    const listeners = new Listeners(pino({ level: 'silent' }));
    let told = 0;
    const listenAnew = (): void => {
      if (++told > 10) return;
      stop();
      stop = listeners.addGap(listenAnew);
    };
    let stop = listeners.addGap(listenAnew);
    listeners.gap();
    expect(told).toBe(1);
    stop();
  });
});
