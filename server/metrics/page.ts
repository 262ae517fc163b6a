import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';

/** How the figures are asked for. With neither a port nor a token there is no page. */
export interface MetricsConfig {
  /** Null: /metrics of the server's own port, which then needs `token`. 0 takes a free one. */
  readonly port: number | null;
  /** The address that `port` listens on. */
  readonly host: string;
  /** What `Authorization: Bearer` has to carry. Null: whoever reaches `port` may read. */
  readonly token: string | null;
}

/** The page where the configuration wants it: on a port of its own, or in front of the server's own listener, which is returned then. */
export async function serveMetrics(
  registry: Registry,
  { port, host, token }: MetricsConfig,
  { log, listener }: { readonly log: Logger; readonly listener: RequestListener },
): Promise<{ readonly url: string | null; readonly listener: RequestListener; readonly close: () => Promise<void> }> {
  const page = createMetricsPage(registry, token, log);
  if (port === null) return { url: null, listener: besideMetrics(page, listener), close: () => Promise.resolve() };
  const { url, close } = await listenForMetrics(page, { host, port });
  log.info({ url }, 'Serving figures for Prometheus.');
  return { url, listener, close };
}

/** Answers /metrics, for the bearer of the token where there is one. */
function createMetricsPage(registry: Registry, token: string | null, log: Logger): RequestListener {
  const expected = token === null ? null : digest(`Bearer ${token}`);
  return (request, response) => {
    if (expected !== null && !timingSafeEqual(digest(request.headers.authorization ?? ''), expected)) {
      response.setHeader('www-authenticate', 'Bearer');
      return answer(response, 401, 'The figures are for the bearer of METRICS_TOKEN; send it as Authorization: Bearer TOKEN.\n');
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      return answer(response, 405, 'Ask for the figures with GET.\n');
    }
    registry.metrics().then(
      (text) => answer(response, 200, text, registry.contentType),
      (error: unknown) => {
        log.error({ err: error }, 'The figures could not be collected.');
        answer(response, 500, 'The figures could not be collected; the log says why.\n');
      },
    );
  };
}

/** The server's own listener, with the page at /metrics in front of it. */
const besideMetrics =
  (page: RequestListener, listener: RequestListener): RequestListener =>
  (request, response) =>
    isMetrics(request.url) ? page(request, response) : listener(request, response);

/** Serves the page alone, on a port of its own. */
async function listenForMetrics(page: RequestListener, { host, port }: { readonly host: string; readonly port: number }): Promise<{ readonly url: string; readonly close: () => Promise<void> }> {
  const server = createServer((request, response) => {
    if (isMetrics(request.url)) page(request, response);
    else answer(response, 404, 'There is nothing here; the figures are at /metrics.\n');
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  const taken = (server.address() as AddressInfo).port;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${taken}/metrics`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const isMetrics = (url: string | undefined): boolean => url?.split('?', 1)[0] === '/metrics';

/** Of equal length whatever was sent, so that comparing tells nothing of the token. */
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

function answer(response: ServerResponse, status: number, text: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text), 'cache-control': 'no-store' }).end(text);
}
