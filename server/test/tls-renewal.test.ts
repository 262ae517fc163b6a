import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, get, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { pino } from 'pino';
import { generate } from 'selfsigned';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readTls, renewTls } from '../tls.js';
import { startTestServer } from './harness.js';

const folder = mkdtempSync(join(tmpdir(), 'concord-renewal-'));
const files = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') };

/** Replaces a file as a renewal does: at once. */
function put(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}
const make = (name: string) => generate([{ name: 'commonName', value: name }]);
const names = (port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject['CN']));
      socket.destroy();
    }).on('error', reject);
  });

describe('Own TLS', () => {
  let server: Server;
  let port: number;
  let stop: () => void;
  const logged: string[] = [];
  beforeAll(async () => {
    const first = await make('first');
    put(files.certFile, first.cert);
    put(files.keyFile, first.private);
    server = createServer(readTls(files), (_request, response) => void response.end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
    stop = renewTls(server, files, { log: pino({}, { write: (line: string) => void logged.push(line) }), everyMs: 10 });
  });
  afterAll(async () => {
    stop();
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true });
  });

  it('uses a renewed certificate for new connections without a restart', async () => {
    expect(await names(port)).toBe('first');
    const second = await make('second');
    put(files.certFile, second.cert);
    put(files.keyFile, second.private);
    while ((await names(port)) !== 'second');
  });

  it('keeps the old one while the files do not belong together or are gone, says so once, and takes them when they do', async () => {
    logged.length = 0;
    const third = await make('third');
    put(files.certFile, third.cert);
    while (logged.length === 0) await names(port);
    expect(await names(port)).toBe('second');
    for (let n = 0; n < 20; n++) await names(port);
    expect(logged).toHaveLength(1);
    expect(logged[0]).toContain('the old ones stay in use');
    rmSync(files.certFile);
    while (logged.length === 1) await names(port);
    expect(await names(port)).toBe('second');
    put(files.certFile, third.cert);
    put(files.keyFile, third.private);
    while ((await names(port)) !== 'third');
  });

  it('tells browsers to come by TLS only, for as long as configured', async () => {
    for (const [hstsSeconds, expected] of [[600, 'max-age=600'], [0, undefined]] as const) {
      const secure = await startTestServer({ config: { tls: files, hstsSeconds } });
      const header = await new Promise((resolve, reject) => {
        get(new URL('/health', secure.url), { rejectUnauthorized: false }, (response) => resolve(response.resume().headers['strict-transport-security'])).on('error', reject);
      });
      expect(header).toBe(expected);
      await secure.close();
    }
    const plain = await startTestServer();
    expect((await fetch(new URL('/health', plain.url))).headers.get('strict-transport-security')).toBeNull();
    await plain.close();
  });
});
