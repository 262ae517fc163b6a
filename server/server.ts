import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { schema, type Ports } from '@concord/schema';
import { createAdministration } from './auth/administration.js';
import { createAuthenticator } from './auth/authenticate.js';
import { createApplyClaims } from './auth/claimed-roles.js';
import { createFailedLogins } from './auth/failed-logins.js';
import { ensureFirstOwner } from './auth/first-owner.js';
import { boundIssuance } from './auth/issuance.js';
import { createJwtVerifier } from './auth/jwt.js';
import { openMembershipCache } from './auth/membership-cache.js';
import { createTokenUse } from './auth/token-use.js';
import { Denials } from './audit/denials.js';
import { createSealer } from './audit/sealer.js';
import type { Config } from './config.js';
import { createContextOf } from './context.js';
import { checkDatabase, openDatabase } from './database.js';
import { createEngine } from './engine.js';
import { createGraphiQLPage } from './graphiql.js';
import { createReadiness } from './health.js';
import { createAddressOf, createHttpListener, createHttpServer } from './http.js';
import { addGauges } from './metrics/gauges.js';
import { Metrics } from './metrics/metrics.js';
import { serveMetrics } from './metrics/page.js';
import { createMask } from './mask.js';
import { openPostgresNotifications } from './notify-postgres.js';
import { openRedisNotifications, redisPrefix } from './notify-redis.js';
import { createOperations } from './operations.js';
import { superviseEmbedded } from './postgres/supervise.js';
import { findPrismaFolder, migrate, readMigrations } from './postgres/migrate.js';
import { defaultQueryLimits } from './query-limits.js';
import { createRateLimit, type BucketsOf } from './rate-limit.js';
import { Turns } from './rate-limit/turns.js';
import { LocalBuckets } from './rate-limit-buckets.js';
import { openSharedBuckets } from './rate-limit-redis.js';
import { openRedis } from './redis.js';
import { scheduleRetention } from './retention/schedule.js';
import { createSharingSubscribe } from './shared-results.js';
import { readTrustedDocuments } from './trusted-documents.js';
import { Connections } from './websocket/connections.js';
import { attachWebSocketEdge, createWebSocketEdge } from './websocket.js';
import { createGraphQLHandler } from './yoga.js';

export interface RunningServer {
  /** Of the GraphQL endpoint, `http(s)://…/graphql`. */
  readonly url: string;
  readonly databaseUrl: string;
  /** Of the page of figures on a port of its own; null: there is no such port. */
  readonly metricsUrl: string | null;
  /** The owner's token, in a database that had no principals before; shown this once. */
  readonly firstToken: string | null;
  /** Resolves when the server cannot go on, with the reason: the embedded PostgreSQL is gone and cannot be started again. Close it then. */
  readonly failure: Promise<Error>;
  /**
   * Stops in order: no new connections or operations, running ones end, sockets are closed with 1001, then the connections to the
   * database and the embedded PostgreSQL.
   */
  close(): Promise<void>;
}

/** A push in JSON is larger than its serialised patches: the query text and the ids come on top. */
const envelopeBytes = 512 * 1024;

/** Starts a server and returns when it answers. What was opened before a failure is closed again. */
export async function startServer(config: Config, log: Logger): Promise<RunningServer> {
  const opened: (() => Promise<void>)[] = [];
  const closeOpened = async () => {
    for (const close of opened.reverse()) {
      await close().catch((error: unknown) => log.error({ err: error }, 'A part of the server did not stop well.'));
    }
  };
  try {
    return await start(config, log, opened, closeOpened);
  } catch (error) {
    await closeOpened();
    throw error;
  }
}

async function start(config: Config, log: Logger, opened: (() => Promise<void>)[], closeOpened: () => Promise<void>): Promise<RunningServer> {
  let stopping = false;
  const isStopping = () => stopping;
  let fail: (reason: Error) => void = () => undefined;
  const failure = new Promise<Error>((resolve) => (fail = resolve));
  // First: a wrong manifest is told before anything is opened.
  const operations = createOperations(schema, defaultQueryLimits, readTrustedDocuments(config.trustedDocuments), { introspection: config.introspection });
  const now = () => new Date();
  const monotonicNow = () => performance.now();
  const randomId = () => randomBytes(12).toString('hex');

  let databaseUrl = config.databaseUrl;
  if (databaseUrl === null) {
    const embedded = await superviseEmbedded({ dataFolder: config.dataFolder, log, givenUp: fail });
    opened.push(() => embedded.stop());
    databaseUrl = embedded.connectionString;
  }
  const database = openDatabase({ connectionString: databaseUrl, poolSize: config.poolSize, log, readStatementMs: config.reads.statementMs });
  opened.push(() => database.close());
  const { pool, prisma } = database;
  await checkDatabase(pool);
  await migrate(databaseUrl, log);
  const migrations = await readMigrations(await findPrismaFolder());

  const redis = config.redisUrl === null ? null : await openRedis({ url: config.redisUrl, log });
  if (redis !== null) opened.push(() => Promise.resolve(redis.close()));
  const prefix = redis === null ? '' : await redisPrefix(pool);
  const notify = redis === null ? await openPostgresNotifications({ connectionString: databaseUrl, log }) : await openRedisNotifications({ redis, prefix, log });
  opened.push(() => notify.close());
  const shared = redis === null ? null : openSharedBuckets({ redis, prefix, log, monotonicNow });
  if (shared !== null) opened.push(() => Promise.resolve(shared.close()));
  const bucketsOf: BucketsOf = (name, size) => shared?.of(name, size) ?? new LocalBuckets(size, monotonicNow);
  const memberships = openMembershipCache({ prisma, notify, monotonicNow });
  const tokenUse = createTokenUse({ db: pool, log, now });
  opened.push(() => tokenUse.close());
  const authenticator = createAuthenticator({
    prisma,
    notify,
    memberships,
    failedLogins: createFailedLogins(config.rateLimit.failedLoginsPerMinute, bucketsOf),
    tokenUse,
    jwt: config.jwt === null ? null : createJwtVerifier(config.jwt, { log, now }),
    applyClaims: createApplyClaims({ prisma, memberships, now }),
    log,
    now,
  });
  const firstToken = await ensureFirstOwner(prisma, now);

  const sealer = createSealer({ pool, log, now });
  opened.push(() => sealer.close());
  const denials = new Denials(pool, log);
  opened.push(() => denials.close());
  const metrics = config.metrics === null ? null : new Metrics();
  const engine = await createEngine({
    ...(metrics === null ? {} : { batch: metrics.batch.bind(metrics), dropped: metrics.dropped.bind(metrics) }),
    written: sealer.note,
    prisma,
    pool,
    commits: database.commits,
    reads: { pool: database.reads, prisma: database.readPrisma, limits: config.reads },
    log,
    now,
    randomId,
    limits: config.limits,
    rights: memberships,
    notify,
    cacheBytes: config.cacheBytes,
    pollMs: config.feedPollMs,
  });
  let engineClosing: Promise<void> | undefined;
  const closeEngine = () => (engineClosing ??= engine.close());
  opened.push(closeEngine);
  const retention = scheduleRetention({ pool, log, now, random: Math.random, policy: config.retention, ran: (outcome) => metrics?.retention(outcome) });
  opened.push(() => retention.close());

  const ports: Ports = {
    commit: metrics?.counting(engine.commit, monotonicNow) ?? engine.commit,
    read: engine.read,
    feed: engine.feed,
    administration: boundIssuance(
      createAdministration({
        prisma,
        memberships,
        authenticator,
        now,
        randomId,
        jwtCreatesTokens: config.jwt?.createsTokens ?? false,
        rolesFromClaims: config.jwt?.rolesClaim != null,
        pool: database.reads,
        denials,
        written: sealer.note,
      }),
      { prisma, bucketsOf, now },
    ),
  };
  const mask = createMask({ log, randomId });
  const rateLimit = createRateLimit(config.rateLimit, bucketsOf);
  const turns = new Turns();
  const connections = new Connections(config.connections);
  const contextOf = createContextOf({ ports, authenticator, rateLimit, randomId, isStopping, limits: config.limits, turns });
  const addressOf = createAddressOf(config.trustProxy);
  const mostBytes = config.limits.pushBytes + envelopeBytes;
  const edge = { schema, operations, turns, subscribe: createSharingSubscribe(schema), contextOf, authenticator, mask, log };

  const listener = createHttpListener({
    graphql: createGraphQLHandler(edge),
    graphiql: config.graphiql && !config.trustedDocuments.only ? createGraphiQLPage() : null,
    authenticator,
    readiness: createReadiness({ pool, migrations, writes: database.writes, isStopping }),
    mask,
    log,
    addressOf,
    mostBodyBytes: mostBytes,
    rateLimit,
    turns,
    connections,
    corsOrigins: config.corsOrigins,
    hstsSeconds: config.tls === null ? 0 : config.hstsSeconds,
    stalledStreamMs: 4 * config.pingMs,
  });
  if (metrics !== null) opened.push(addGauges(metrics, { database, redis, figures: () => engine.figures() }));
  const figures = metrics === null || config.metrics === null ? null : await serveMetrics(metrics.registry, config.metrics, { log, listener });
  if (figures !== null) opened.push(() => figures.close());
  const server = createHttpServer(config, figures?.listener ?? listener, log);
  const webSockets = createWebSocketEdge({ ...edge, rateLimit, connections, mostMessageBytes: mostBytes, pingMs: config.pingMs, addressOf });
  attachWebSocketEdge(server, webSockets);
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(config.port, config.host, resolve));

  const { port } = server.address() as AddressInfo;
  const shownHost = config.host === '0.0.0.0' || config.host === '::' ? 'localhost' : config.host.includes(':') ? `[${config.host}]` : config.host;
  const url = `${config.tls === null ? 'http' : 'https'}://${shownHost}:${port}/graphql`;
  log.info({ url }, 'Listening.');

  let closing: Promise<void> | undefined;
  async function stop(): Promise<void> {
    stopping = true;
    log.info('Stopping.');
    const deadline = performance.now() + config.stopGraceMs;
    const left = () => Math.max(0, deadline - performance.now());
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeIdleConnections();
    // Ends the open streams with SHUTTING_DOWN and returns when every push that was taken has its verdict.
    // Should that fail, the rest is closed all the same, and closeOpened logs why.
    await Promise.race([closeEngine().catch(() => undefined), delay(left(), undefined, { ref: false })]);
    await webSockets.close(Math.min(left(), 2_000));
    server.closeIdleConnections();
    await Promise.race([closed, delay(left(), undefined, { ref: false })]);
    server.closeAllConnections();
    authenticator.close();
    memberships.close();
    await closeOpened();
    log.info('Stopped.');
  }

  return { url, databaseUrl, metricsUrl: figures?.url ?? null, firstToken, failure, close: () => (closing ??= stop()) };
}
