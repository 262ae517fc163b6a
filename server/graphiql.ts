import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { acceptedEncoding, compress, type Encoding } from './compress.js';
import { exampleTabs } from './graphiql-examples.js';

/** GraphiQL, served whole by this server: the page works without the internet. */
export interface GraphiQLPage {
  page(response: ServerResponse): void;
  /** False: there is no such file. */
  asset(name: string, request: IncomingMessage, response: ServerResponse): Promise<boolean>;
}

/** The built application inside the package @graphql-yoga/render-graphiql, as texts. */
interface Bundle {
  readonly js: string;
  readonly css: string;
  readonly favicon: string;
  readonly editorWorkerService: string;
  readonly jsonWorker: string;
  readonly graphqlWorker: string;
}

const contentSecurityPolicy = [
  "default-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "worker-src 'self' blob:",
  "connect-src 'self' ws: wss:",
  "frame-ancestors 'none'",
].join('; ');

const html = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <title>Concord GraphiQL</title>
    <link rel="icon" href="/graphql/assets/icon.svg" />
    <link rel="stylesheet" href="/graphql/assets/graphiql.css" />
  </head>
  <body id="body" class="no-focus-outline">
    <noscript>GraphiQL needs JavaScript.</noscript>
    <div id="root"></div>
    <script src="/graphql/assets/graphiql.js"></script>
    <script src="/graphql/assets/start.js"></script>
  </body>
</html>
`;

const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="6" cy="8" r="5" fill="none" stroke="#3b6fd4" stroke-width="2"/><circle cx="10" cy="8" r="5" fill="none" stroke="#d4573b" stroke-width="2"/></svg>`;

/** A tab that is pressed would jump to where the animation of the strip began, and the click would miss it. */
const steadyTabs = '\n.graphiql-tab { transform: none !important; }\n';

/** Loaded at the first visit only: the bundle has 9 MB. */
async function loadBundle(): Promise<Bundle> {
  const file = createRequire(import.meta.url).resolve('@graphql-yoga/render-graphiql/graphiql').replace('/cjs/', '/esm/');
  return (await import(pathToFileURL(file).href)) as Bundle;
}

export function createGraphiQLPage(): GraphiQLPage {
  let bundle: Promise<Bundle> | undefined;
  const encoded = new Map<string, Promise<Buffer | null>>();

  async function contentOf(name: string): Promise<{ readonly type: string; readonly text: string } | null> {
    const script = 'text/javascript; charset=utf-8';
    if (name === 'start.js') return { type: script, text: startScript() };
    if (name === 'icon.svg') return { type: 'image/svg+xml', text: icon };
    if (!['graphiql.js', 'graphiql.css', 'editor-worker.js', 'json-worker.js', 'graphql-worker.js'].includes(name)) return null;
    const { js, css, editorWorkerService, jsonWorker, graphqlWorker } = await (bundle ??= loadBundle());
    switch (name) {
      case 'graphiql.js':
        return { type: script, text: js };
      case 'graphiql.css':
        return { type: 'text/css; charset=utf-8', text: css + steadyTabs };
      case 'editor-worker.js':
        return { type: script, text: editorWorkerService };
      case 'json-worker.js':
        return { type: script, text: jsonWorker };
      default:
        return { type: script, text: graphqlWorker };
    }
  }

  function compressed(name: string, text: string, encoding: Encoding): Promise<Buffer | null> {
    const key = `${encoding} ${name}`;
    let body = encoded.get(key);
    if (body === undefined) encoded.set(key, (body = compress(text, encoding)));
    return body;
  }

  return {
    page(response) {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': contentSecurityPolicy, 'cache-control': 'no-cache', 'referrer-policy': 'no-referrer' }).end(html);
    },
    async asset(name, request, response) {
      const content = await contentOf(name);
      if (content === null) return false;
      const etag = `"${createHash('sha256').update(content.text).digest('base64url').slice(0, 22)}"`;
      const headers = { etag, 'cache-control': 'no-cache', vary: 'Accept-Encoding' };
      if (request.headers['if-none-match'] === etag) {
        response.writeHead(304, headers).end();
        return true;
      }
      const accepted = request.headers['accept-encoding'];
      const encoding = acceptedEncoding(typeof accepted === 'string' ? accepted : undefined);
      const body = encoding === null ? null : await compressed(name, content.text, encoding);
      response.writeHead(200, { ...headers, 'content-type': content.type, ...(body === null ? {} : { 'content-encoding': encoding ?? '' }) }).end(body ?? content.text);
      return true;
    },
  };
}

/**
 * Runs in the browser. Subscriptions go over graphql-ws with the headers tab as connectionParams, which the bundle's own
 * transport does not do; everything else is a plain POST.
 */
function startScript(): string {
  return `'use strict';
const workers = { editorWorkerService: 'editor-worker.js', json: 'json-worker.js', graphql: 'graphql-worker.js' };
self.MonacoEnvironment = { globalAPI: false, getWorkerUrl: (_module, label) => '/graphql/assets/' + workers[label] };

function operationType(params, options) {
  const operations = (options.documentAST?.definitions ?? []).filter((definition) => definition.kind === 'OperationDefinition');
  const operation = operations.length > 1 ? operations.find((one) => one.name?.value === params.operationName) : operations[0];
  return operation?.operation ?? (/^\\s*subscription\\b/m.test(params.query) ? 'subscription' : 'query');
}

const away = 'The server does not answer at ' + location.origin + '. Is it running, and is the network there? Press play again when it is.';
const told = (message) => ({ errors: [{ message }] });

async function post(params, headers) {
  let response;
  try {
    response = await fetch('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json', ...headers },
      body: JSON.stringify(params),
    });
  } catch {
    return told(away);
  }
  try {
    return await response.json();
  } catch {
    // Not Concord: a proxy in front of it, say.
    return told('The answer is not from Concord (HTTP ' + response.status + '). ' + (response.status >= 500 ? away : ''));
  }
}

/** A token filled in once is used by all tabs that still say only "Bearer". It is forgotten with the tab of the browser. */
function withToken(headers) {
  const name = Object.keys(headers).find((one) => one.toLowerCase() === 'authorization') ?? 'Authorization';
  const given = String(headers[name] ?? '').trim();
  if (/^Bearer\\s+\\S/i.test(given)) sessionStorage.setItem('concord-authorization', given);
  const remembered = sessionStorage.getItem('concord-authorization');
  return (given === '' || given === 'Bearer') && remembered ? { ...headers, [name]: remembered } : headers;
}

/** One socket a subscription, with the headers of its tab. */
async function* subscribe(params, headers) {
  const socket = new WebSocket(location.href.replace(/^http/, 'ws').split(/[?#]/)[0], 'graphql-transport-ws');
  const arrived = [];
  let wake = () => {};
  const put = (item) => { arrived.push(item); wake(); };
  socket.onopen = () => socket.send(JSON.stringify({ type: 'connection_init', payload: headers }));
  socket.onclose = (event) => put({ end: event.reason || (event.code === 1000 ? null : event.code === 1006 ? away : 'The socket closed with ' + event.code + '.') });
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.type === 'connection_ack') socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: params }));
    if (message.type === 'ping') socket.send(JSON.stringify({ type: 'pong' }));
    if (message.type === 'next') put({ result: message.payload });
    if (message.type === 'error') put({ result: { errors: message.payload }, end: null });
    if (message.type === 'complete') put({ end: null });
  };
  try {
    for (;;) {
      while (arrived.length === 0) await new Promise((resolve) => { wake = resolve; });
      const item = arrived.shift();
      if (item.result) yield item.result;
      if (item.end) yield told(item.end);
      if ('end' in item) return;
    }
  } finally {
    socket.close(1000);
  }
}

const defaultHeaders = ${JSON.stringify(JSON.stringify({ Authorization: 'Bearer ' }, null, 2))};

/** Keeps what was typed into headers, where a token stands, for this tab of the browser only; everything else for the next visit too. */
const storage = (() => {
  const isOurs = (key) => key.startsWith('graphiql:');
  const withHeaders = (text, headers) => {
    try {
      return JSON.stringify(JSON.parse(text), (name, value) => (name === 'headers' && !Array.isArray(value) ? headers : value));
    } catch {
      return text;
    }
  };
  const forGood = (key, value) => {
    if (key === 'graphiql:headers') localStorage.removeItem(key);
    else localStorage.setItem(key, /^[[{]/.test(value) ? withHeaders(value, null) : value);
  };
  // Of a version that kept them.
  for (const key of Object.keys(localStorage).filter(isOurs)) forGood(key, localStorage.getItem(key));
  const read = (key) => {
    const here = sessionStorage.getItem(key);
    if (here !== null) return here;
    const kept = localStorage.getItem(key);
    return kept !== null && key === 'graphiql:tabState' ? withHeaders(kept, defaultHeaders) : kept;
  };
  const tabs = () => {
    try {
      return JSON.parse(read('graphiql:tabState')).tabs ?? [];
    } catch {
      return [];
    }
  };
  const activeTab = () => {
    try {
      const { tabs: all, activeTabIndex } = JSON.parse(read('graphiql:tabState'));
      return all[activeTabIndex];
    } catch {
      return undefined;
    }
  };
  // What the address says was the last text edited, in whichever tab. It opens a tab of its own only where no tab has it.
  const address = new URL(location.href);
  const asked = address.searchParams.get('query');
  if (asked !== null && tabs().some(({ query }) => query === asked)) {
    address.searchParams.delete('query');
    history.replaceState({}, '', address);
  }
  return {
    getItem(key) {
      // GraphiQL opens another tab where these are not those of a tab, to the letter.
      const field = /^graphiql:(query|variables|headers)$/.exec(key)?.[1];
      return (field !== undefined && activeTab()?.[field]) || read(key);
    },
    setItem(key, value) {
      sessionStorage.setItem(key, value);
      forGood(key, value);
    },
    removeItem(key) {
      sessionStorage.removeItem(key);
      localStorage.removeItem(key);
    },
    get length() {
      return Object.keys(localStorage).filter(isOurs).length;
    },
    clear() {
      for (const store of [sessionStorage, localStorage]) for (const key of Object.keys(store).filter(isOurs)) store.removeItem(key);
    },
  };
})();

YogaGraphiQL.renderYogaGraphiQL(document.querySelector('#root'), {
  title: 'Concord GraphiQL',
  fetcher: (params, options = {}) => {
    const headers = withToken(options.headers ?? {});
    return operationType(params, options) === 'subscription' ? subscribe(params, headers) : post(params, headers);
  },
  defaultEditorToolsVisibility: 'headers',
  shouldPersistHeaders: true,
  storage,
  defaultHeaders,
  defaultTabs: ${JSON.stringify(exampleTabs)},
});
`;
}
