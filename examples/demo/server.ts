import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkAddress } from './endpoint.js';
import { ended, startServerProcess, type ServerProcess } from '../../test/server-process.js';

/** Where the demo's documents are kept while it runs. */
export interface DemoServer {
  /** GraphQL endpoint. */
  readonly url: string;
  readonly token: string;
  /** Kills the server with SIGKILL and starts it again on the same port. Absent for a server that is not the demo's own. */
  crash?(): Promise<void>;
  close(): Promise<void>;
}

/** The server named by CONCORD_URL and CONCORD_TOKEN, or one of its own with an empty database. */
export async function demoServer(environment: NodeJS.ProcessEnv): Promise<DemoServer> {
  const url = environment['CONCORD_URL'];
  if (url !== undefined && url !== '') {
    const token = environment['CONCORD_TOKEN'];
    checkAddress(url);
    if (!token) throw new Error('CONCORD_URL is set but CONCORD_TOKEN is not. Set it to a token of an owner, as printed at the first start of the server.');
    return { url, token, close: () => Promise.resolve() };
  }
  return ownServer();
}

async function ownServer(): Promise<DemoServer> {
  const data = mkdtempSync(join(tmpdir(), 'concord-demo-'));
  let running = await launch(data, 0);
  const { token } = running;
  if (token === undefined) throw new Error('The new server printed no token.');
  const port = Number(new URL(running.url).port);
  return {
    url: running.url,
    token,
    crash: async () => {
      await ended(running.process, 'SIGKILL');
      running = await launch(data, port);
    },
    close: async () => {
      await ended(running.process, 'SIGTERM');
      rmSync(data, { recursive: true, force: true });
    },
  };
}

/** Starts the server as `npm start` does. */
const launch = (data: string, port: number): Promise<ServerProcess> =>
  startServerProcess({ from: 'dist', environment: { CONCORD_DATA: data, PORT: String(port) } });
