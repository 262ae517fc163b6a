import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { generate } from 'selfsigned';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRedis } from '../server/redis.js';
import { startTestServer, type TestServer } from '../server/test/harness.js';
import { startRedisServer } from './redis-server.js';
import { ended, startServerProcess, type ServerProcess } from './server-process.js';

const folder = mkdtempSync(join(tmpdir(), 'concord-tls-'));
const certFile = join(folder, 'cert.pem');
const keyFile = join(folder, 'key.pem');
const program = fileURLToPath(new URL('tls-replica.ts', import.meta.url));

describe('a server that ends TLS itself, in production', () => {
  let database: TestServer;
  let server: ServerProcess;
  let certificate: string;
  beforeAll(async () => {
    const made = await generate([{ name: 'commonName', value: 'concord test' }], {
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
    });
    certificate = made.cert;
    writeFileSync(certFile, made.cert);
    writeFileSync(keyFile, made.private, { mode: 0o600 });
    database = await startTestServer();
    server = await startServerProcess({ from: 'source', errors: 'kept', environment: { DATABASE_URL: database.databaseUrl, NODE_ENV: 'production', TLS_CERT: certFile, TLS_KEY: keyFile } });
  });
  afterAll(async () => {
    await ended(server.process);
    await database.close();
    rmSync(folder, { recursive: true });
  });

  const replica = async (environment: Readonly<Record<string, string>>): Promise<string> => {
    const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=@concord/source', '--import', import.meta.resolve('tsx'), program, server.url], {
      env: { ...process.env, TOKEN: database.token, ...environment },
      timeout: 20_000,
      killSignal: 'SIGKILL',
    });
    return stdout.trim();
  };

  it('answers over https, with the certificate it was given', async () => {
    expect(server.url).toMatch(/^https:\/\/127\.0\.0\.1:/);
    const status = await new Promise((resolve, reject) => {
      get(new URL('/ready', server.url), { ca: certificate }, (response) => resolve(response.resume().statusCode)).on('error', reject);
    });
    expect(status).toBe(200);
    await expect(fetch(server.url.replace('https:', 'http:'))).rejects.toThrow();
  });

  it('is synced with over wss, and asked over https, by a replica that trusts the certificate', async () => {
    expect(await replica({ NODE_EXTRA_CA_CERTS: certFile })).toBe('synced, 1 in its history');
  });

  it('is told nothing by a replica that does not', async () => {
    expect(await replica({})).toMatch(/^UNAVAILABLE: The server cannot be reached: .*certificate/);
    expect((await database.graphql('{ documents { nodes { id } } }')).data).toEqual({ documents: { nodes: [{ id: 'over-tls' }] } });
  });

  it('does not start without a certificate, nor with one that cannot be read', async () => {
    await expect(startServerProcess({ from: 'source', errors: 'kept', environment: { DATABASE_URL: database.databaseUrl, NODE_ENV: 'production' } })).rejects.toThrow(/NODE_ENV=production refuses plain HTTP/);
    await expect(database.restart({ tls: { certFile: join(folder, 'absent.pem'), keyFile } })).rejects.toThrow(/^TLS_CERT: .*absent\.pem cannot be read \(ENOENT.*Give the path of a PEM file/);
  });

  it('shares a Redis that speaks only TLS with others, where it trusts its certificate', async () => {
    const redis = await startRedisServer({ tls: { certFile, keyFile } });
    const sharing = await startServerProcess({ from: 'source', errors: 'kept', environment: { DATABASE_URL: database.databaseUrl, REDIS_URL: redis.url, NODE_EXTRA_CA_CERTS: certFile } });
    expect(await ended(sharing.process)).toBe(0);
    const log = pino({ level: 'silent' });
    await expect(openRedis({ url: redis.url, log })).rejects.toThrow(/the certificate of the Redis of REDIS_URL at .* is not accepted \(\w+: .*NODE_EXTRA_CA_CERTS/);
    await expect(openRedis({ url: redis.url.replace('rediss:', 'redis:'), log })).rejects.toThrow(/If it speaks TLS, write rediss:/);
    await redis.close();
  });
});
