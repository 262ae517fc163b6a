import { defaultLimits, patchBytesFor, type Limits } from '@concord/core';
import { minPoolSize } from './database.js';
import type { MetricsConfig } from './metrics/page.js';
import { defaultReadLimits, type ReadLimits } from './read/shares.js';
import type { ConnectionLimits } from './websocket/connections.js';
import type { RetentionPolicy } from './retention/run.js';

/** The environment, read once at start. Every duration is in milliseconds, every size in bytes. */
export interface Config {
  readonly production: boolean;
  readonly host: string;
  readonly port: number;
  /** Null: the embedded PostgreSQL in `dataFolder`. */
  readonly databaseUrl: string | null;
  /** Null: hints between nodes go over PostgreSQL, and each node counts its own rate limits. */
  readonly redisUrl: string | null;
  readonly dataFolder: string;
  readonly tls: { readonly certFile: string; readonly keyFile: string } | null;
  /** True: a proxy in front ends TLS and tells the caller's address in X-Forwarded-For. */
  readonly trustProxy: boolean;
  readonly corsOrigins: readonly string[];
  readonly poolSize: number;
  readonly cacheBytes: number;
  readonly feedPollMs: number;
  /** How often a WebSocket is pinged; one that answers neither of two pings is ended, an event stream that takes nothing for four times as long too. */
  readonly pingMs: number;
  readonly retention: RetentionPolicy;
  readonly rateLimit: RateLimitConfig;
  readonly limits: Limits;
  readonly reads: ReadLimits;
  readonly connections: ConnectionLimits;
  readonly graphiql: boolean;
  /** Whether `__schema` and `__type` are answered. GraphiQL needs it. */
  readonly introspection: boolean;
  /** With TLS of its own: for how long browsers are told to come by TLS only. */
  readonly hstsSeconds: number;
  /** `file`: an app's own manifest beside the built-in one. `only`: no other operation is run; there is no GraphiQL then. */
  readonly trustedDocuments: { readonly file: string | null; readonly only: boolean };
  readonly jwt: JwtConfig | null;
  /** Null: no figures are kept. */
  readonly metrics: MetricsConfig | null;
  readonly logLevel: LogLevel;
  readonly logPretty: boolean;
  /** How long a stop waits for running requests before it cuts them. */
  readonly stopGraceMs: number;
}

export interface JwtConfig {
  readonly jwksUrl: string;
  readonly issuer: string;
  readonly audience: string;
  /** Name of the claim that maps workspaces to roles. Null: roles are given in Concord. */
  readonly rolesClaim: string | null;
  /** Whether a session of a JWT may make tokens of Concord, which end with it. */
  readonly createsTokens: boolean;
}

export interface RateLimitConfig {
  /** Per principal: GraphQL operations a second, and how many may come at once. 0 switches it off. */
  readonly operationsPerSecond: number;
  readonly operationsBurst: number;
  /** Per network (IPv4 address, IPv6 /64): operations a second without a session, and ten times as many at once. 0 switches it off. */
  readonly anonymousPerSecond: number;
  /** Per principal: edits within pushes a second, and how many may come at once. 0 switches it off. */
  readonly editsPerSecond: number;
  readonly editsBurst: number;
  /** Per address: failed logins a minute. 0 switches it off. */
  readonly failedLoginsPerMinute: number;
}

const logLevels = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Every problem of the environment at once, each with the variable, what it is and what to do. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  constructor(readonly problems: readonly string[]) {
    super(`The configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws ConfigError with everything that is wrong. Empty variables count as unset, as .env files and compose make them. */
export function readConfig(environment: Environment): Config {
  const problems: string[] = [];
  const text = (name: string): string | null => environment[name]?.trim() || null;

  const whole = (name: string, fallback: number, least: number, most: number, meaning: string): number => {
    const given = text(name);
    if (given === null) return fallback;
    const value = /^\d+$/.test(given) ? Number(given) : Number.NaN;
    if (value >= least && value <= most) return value;
    problems.push(`${name} (${meaning}) is ${JSON.stringify(given)}; give a whole number from ${least} to ${most}, or leave it out for ${fallback}.`);
    return fallback;
  };
  const flag = (name: string, fallback: boolean, meaning: string): boolean => {
    const given = text(name)?.toLowerCase() ?? null;
    if (given === null) return fallback;
    if (given === '1' || given === 'true') return true;
    if (given === '0' || given === 'false') return false;
    problems.push(`${name} (${meaning}) is ${JSON.stringify(given)}; give 1 or 0.`);
    return fallback;
  };
  const oneOf = <Value extends string>(name: string, values: readonly Value[], fallback: Value, meaning: string): Value => {
    const given = text(name);
    if (given === null) return fallback;
    const found = values.find((value) => value === given);
    if (found !== undefined) return found;
    problems.push(`${name} (${meaning}) is ${JSON.stringify(given)}; give one of ${values.join(', ')}.`);
    return fallback;
  };
  const url = (name: string, protocols: readonly string[], meaning: string): string | null => {
    const given = text(name);
    if (given === null) return null;
    if (URL.canParse(given) && protocols.includes(new URL(given).protocol)) return given;
    // The value may carry a password: it is not repeated.
    problems.push(`${name} (${meaning}) is not a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}; correct it.`);
    return null;
  };

  const production = oneOf('NODE_ENV', ['development', 'test', 'production'], 'development', 'the kind of installation') === 'production';
  const documentBytes = whole('LIMIT_DOCUMENT_BYTES', defaultLimits.documentBytes, 1024, 64 * 1024 * 1024, 'largest document, in bytes');
  // A page for trying things out and a map of what there is: neither belongs to an installation unasked.
  const graphiql = flag('GRAPHIQL', !production, 'whether the GraphiQL page is served');
  const config: Config = {
    production,
    host: text('HOST') ?? '127.0.0.1',
    port: whole('PORT', 8080, 0, 65535, 'the port to listen on; 0 takes a free one'),
    databaseUrl: url('DATABASE_URL', ['postgresql:', 'postgres:'], 'the PostgreSQL to use instead of the embedded one'),
    redisUrl: readRedisUrl(url, problems),
    dataFolder: text('CONCORD_DATA') ?? './data',
    tls: readTls(text, problems),
    trustProxy: flag('TRUST_PROXY', false, 'whether a proxy in front ends TLS'),
    hstsSeconds: whole('HSTS_SECONDS', 31_536_000, 0, 2 ** 31, 'how long browsers shall come by TLS only, in seconds; 0 is not told'),
    corsOrigins: readOrigins(text, problems),
    poolSize: whole('POOL_SIZE', 10, minPoolSize, 500, 'connections to PostgreSQL'),
    cacheBytes: whole('CACHE_BYTES', 256 * 1024 * 1024, 1024 * 1024, 2 ** 40, 'memory for the document cache, in bytes'),
    retention: {
      changesDays: whole('RETENTION_DAYS', 90, 0, 36_500, 'days that changes are kept in the log; 0 keeps them for ever'),
      auditDays: whole('AUDIT_RETENTION_DAYS', 0, 0, 36_500, 'days that rows of the audit are kept; 0 keeps them for ever'),
    },
    feedPollMs: whole('FEED_POLL_MS', 2_000, 20, 600_000, 'how often the log is looked at in case a hint between nodes was lost, in milliseconds'),
    pingMs: whole('PING_MS', 15_000, 4_000, 3_600_000, 'how often each WebSocket is pinged, in milliseconds'),
    rateLimit: {
      operationsPerSecond: whole('RATE_OPERATIONS', 200, 0, 1e9, 'GraphQL operations a second for one principal; 0 is no limit'),
      operationsBurst: whole('RATE_OPERATIONS_BURST', 2_000, 1, 1e9, 'GraphQL operations that one principal may send at once'),
      anonymousPerSecond: whole('RATE_ANONYMOUS', 20, 0, 1e9, 'GraphQL operations a second without a token from one address; 0 is no limit'),
      editsPerSecond: whole('RATE_EDITS', 20_000, 0, 1e9, 'pushed edits a second for one principal; 0 is no limit'),
      editsBurst: whole('RATE_EDITS_BURST', 100_000, 1, 1e9, 'edits that one principal may push at once'),
      failedLoginsPerMinute: whole('RATE_FAILED_LOGINS', 30, 0, 1e9, 'failed logins a minute from one address; 0 is no limit'),
    },
    limits: {
      ...defaultLimits,
      documentBytes,
      patchBytes: whole('LIMIT_PATCH_BYTES', patchBytesFor(documentBytes), 1024, 128 * 1024 * 1024, 'largest patch, in bytes'),
      patchOperations: whole('LIMIT_PATCH_OPERATIONS', defaultLimits.patchOperations, 1, 100_000, 'operations in a patch'),
      pushPatches: whole('LIMIT_PUSH_PATCHES', defaultLimits.pushPatches, 1, 10_000, 'edits in a push'),
      pushBytes: whole('LIMIT_PUSH_BYTES', defaultLimits.pushBytes, 64 * 1024, 256 * 1024 * 1024, 'largest push, in bytes'),
    },
    connections: {
      perAddress: whole('CONNECTIONS_PER_ADDRESS', 1_000, 0, 1e6, 'WebSockets of one address; 0 is no limit'),
      perPrincipal: whole('CONNECTIONS_PER_PRINCIPAL', 500, 0, 1e6, 'WebSockets and event streams of one principal; 0 is no limit'),
      anonymousMs: 60_000,
    },
    reads: {
      statementMs: whole('READ_TIMEOUT_MS', defaultReadLimits.statementMs, 100, 600_000, 'how long the database may work for one read, in milliseconds'),
      msPerSecond: whole('RATE_READ_MS', defaultReadLimits.msPerSecond, 0, 1e6, 'milliseconds a second that the database works for reads of one principal; 0 is no limit'),
    },
    graphiql,
    introspection: flag('INTROSPECTION', graphiql, 'whether the schema may be asked for'),
    trustedDocuments: { file: text('TRUSTED_DOCUMENTS'), only: flag('TRUSTED_DOCUMENTS_ONLY', false, 'whether operations that are not trusted documents are refused') },
    jwt: readJwt(text, url, flag, problems),
    metrics: readMetrics(text, whole, problems),
    logLevel: oneOf('LOG_LEVEL', logLevels, 'info', 'how much is logged'),
    logPretty: flag('LOG_PRETTY', false, 'whether log lines are made for eyes instead of machines'),
    stopGraceMs: whole('STOP_GRACE_MS', 10_000, 0, 600_000, 'how long a stop waits for running requests, in milliseconds'),
  };

  const { editsPerSecond, editsBurst } = config.rateLimit;
  if (editsPerSecond > 0 && Math.max(editsPerSecond, editsBurst) < config.limits.pushPatches) {
    problems.push(
      `RATE_EDITS_BURST (edits that one principal may push at once) is ${editsBurst}, less than the ${config.limits.pushPatches} of LIMIT_PUSH_PATCHES: a full push would never be taken. Raise it, or lower LIMIT_PUSH_PATCHES.`,
    );
  }
  if (production && config.tls === null && !config.trustProxy && !problems.some((problem) => problem.startsWith('TLS_') || problem.startsWith('TRUST_PROXY'))) {
    problems.push(
      'NODE_ENV=production refuses plain HTTP, because tokens would travel unencrypted. Set TLS_CERT and TLS_KEY to the files of a certificate and its key, or set TRUST_PROXY=1 if a proxy in front of this server ends TLS.',
    );
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

type WholeOf = (name: string, fallback: number, least: number, most: number, meaning: string) => number;
type TextOf = (name: string) => string | null;
type FlagOf = (name: string, fallback: boolean, meaning: string) => boolean;
type UrlOf = (name: string, protocols: readonly string[], meaning: string) => string | null;

function readTls(text: TextOf, problems: string[]): Config['tls'] {
  const certFile = text('TLS_CERT');
  const keyFile = text('TLS_KEY');
  if (certFile !== null && keyFile !== null) return { certFile, keyFile };
  if (certFile !== null) problems.push('TLS_KEY (file of the private key of TLS_CERT) is missing; set it too.');
  if (keyFile !== null) problems.push('TLS_CERT (file of the certificate chain of TLS_KEY) is missing; set it too.');
  return null;
}

function readOrigins(text: TextOf, problems: string[]): readonly string[] {
  const origins = (text('CORS_ORIGINS') ?? '').split(',').map((origin) => origin.trim()).filter((origin) => origin !== '');
  for (const origin of origins) {
    if (origin !== '*' && (!URL.canParse(origin) || new URL(origin).origin !== origin)) {
      problems.push(`CORS_ORIGINS (web pages that may call the server) contains ${JSON.stringify(origin)}; give origins such as https://app.example.org, separated by commas, or *.`);
    }
  }
  return origins;
}

function readRedisUrl(url: UrlOf, problems: string[]): string | null {
  const given = url('REDIS_URL', ['redis:', 'rediss:'], 'the Redis that several nodes share');
  if (given === null || /^\/?\d*$/.test(new URL(given).pathname)) return given;
  problems.push('REDIS_URL (the Redis that several nodes share) names a database that is not a number; give one as in redis://localhost:6379/0, or none.');
  return null;
}

const minMetricsToken = 32;

function readMetrics(text: TextOf, whole: WholeOf, problems: string[]): MetricsConfig | null {
  const token = text('METRICS_TOKEN');
  const port = text('METRICS_PORT') === null ? null : whole('METRICS_PORT', 0, 0, 65535, 'the port of /metrics; 0 takes a free one');
  if (token !== null && token.length < minMetricsToken) {
    problems.push(`METRICS_TOKEN (what Prometheus sends to read /metrics) has ${token.length} characters; give at least ${minMetricsToken}, for example of openssl rand -hex 32.`);
  }
  return port === null && token === null ? null : { port, host: text('METRICS_HOST') ?? '127.0.0.1', token };
}

function readJwt(text: TextOf, url: UrlOf, flag: FlagOf, problems: string[]): JwtConfig | null {
  const names = ['JWT_JWKS_URL', 'JWT_ISSUER', 'JWT_AUDIENCE'] as const;
  const extras = ['JWT_ROLES_CLAIM', 'JWT_CREATES_TOKENS'] as const;
  if ([...names, ...extras].every((name) => text(name) === null)) return null;
  for (const name of names) {
    if (text(name) === null) problems.push(`${name} is missing; JWT verification needs all of ${names.join(', ')}. Set it, or unset the others.`);
  }
  const jwksUrl = url('JWT_JWKS_URL', ['https:', 'http:'], 'where the identity provider publishes its keys');
  const issuer = text('JWT_ISSUER');
  const audience = text('JWT_AUDIENCE');
  const createsTokens = flag('JWT_CREATES_TOKENS', false, 'whether a session of a JWT may make tokens, which end with it');
  return jwksUrl !== null && issuer !== null && audience !== null ? { jwksUrl, issuer, audience, rolesClaim: text('JWT_ROLES_CLAIM'), createsTokens } : null;
}
