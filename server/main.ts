import { parseArguments, readCommandLine } from './arguments.js';
import { ConfigError, readConfig, type Config } from './config.js';
import { loadEnvironmentFile } from './environment.js';
import type { RunningServer } from './server.js';

const usage = `Usage: npm start

Starts Concord. Settings come from the environment; .env.example explains each. The first ones:
  PORT            port to listen on (8080)
  HOST            address to listen on (127.0.0.1)
  DATABASE_URL    PostgreSQL 15 or newer; without it an own one is started in CONCORD_DATA
  CONCORD_DATA    folder of the own PostgreSQL (./data)

Options:
  --help          this text

Exit status: 0 stopped as asked, 1 could not start or go on, 2 wrong arguments or settings.
`;

// Above the start: `main` runs before what stands below it.
const unreachable: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH']);

process.exitCode = await main();

/** The exit status: 0 stopped as asked, 1 could not start, 2 wrong arguments or settings. Stays undefined while the server runs. */
async function main(): Promise<number | undefined> {
  const told = readCommandLine(usage, (args) => parseArguments({ args }).values);
  if ('status' in told) return told.status;
  let config: Config;
  try {
    loadEnvironmentFile();
    config = readConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 2;
  }
  const { createLog } = await import('./log.js');
  const log = createLog(config);
  try {
    // Loaded now, so that a wrong argument or variable is told at once.
    const { startServer } = await import('./server.js');
    const server = await startServer(config, log);
    stopOnSignal(server);
    endOnFailure(server);
    process.stdout.write(welcome(server, config));
    return undefined;
  } catch (error) {
    process.stderr.write(`Concord did not start: ${explain(error, config)}\n`);
    return 1;
  }
}

/** The first signal stops in order, the second at once. */
function stopOnSignal(server: RunningServer): void {
  let asked = false;
  const onSignal = (signal: NodeJS.Signals) => {
    if (asked) process.exit(130);
    asked = true;
    process.stdout.write(`\n${signal}: stopping (again to force) …\n`);
    server.close().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`The stop failed: ${String(error)}\n`);
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
}

/** What the server cannot go on without is gone: whoever watches the process may start it anew, or tell somebody. */
function endOnFailure(server: RunningServer): void {
  void server.failure.then(async (reason) => {
    process.stderr.write(`Concord ends: ${reason.message}\n`);
    await server.close().catch(() => undefined);
    process.exit(1);
  });
}

function welcome({ url, firstToken }: RunningServer, { graphiql, trustedDocuments }: Config): string {
  const token =
    firstToken === null
      ? 'Token:     as handed out at the first start; another: npm run token -- create --name Ann --role EDITOR'
      : `Token:     ${firstToken}
           (owner of the workspace "main", shown this once; another: npm run token -- create --name Ann --role EDITOR)`;
  if (!graphiql || trustedDocuments.only) {
    return `
Concord is ready.
API:       ${url} (GraphiQL is off: ${graphiql ? 'TRUSTED_DOCUMENTS_ONLY' : 'GRAPHIQL=1 turns it on'})
${token}

Ctrl-C stops it.
`;
  }
  return `
Concord is ready.
GraphiQL:  ${url}
${token}

In GraphiQL put {"Authorization": "Bearer ${firstToken ?? '<token>'}"} in the Headers tab, then try:

  mutation {
    createDocument(id: "hello", collection: "notes", title: "Hello", value: { text: "Hello", likes: 0, tags: [] }) {
      ... on Edited { document { id revision value } }
      ... on Refused { code message }
    }
  }

Ctrl-C stops it.
`;
}

function explain(error: unknown, config: Config): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const listening = error instanceof Error && 'syscall' in error && error.syscall === 'listen';
  if (listening && code === 'EADDRINUSE') return `port ${config.port} on ${config.host} is taken. Stop what runs there, or choose another with PORT.`;
  if (listening && code === 'EACCES') return `port ${config.port} may not be used by this user. Choose one above 1023 with PORT.`;
  if (config.databaseUrl !== null && typeof code === 'string' && unreachable.has(code)) {
    return `the PostgreSQL of DATABASE_URL cannot be reached at ${new URL(config.databaseUrl).host} (${code}). Start it, or correct the address.`;
  }
  if (code === '28P01' || code === '28000') return 'the PostgreSQL refuses the user or the password in DATABASE_URL. Correct them.';
  if (code === '3D000') return 'the database named in DATABASE_URL does not exist. Make it with CREATE DATABASE, or correct the name.';
  return error instanceof Error ? error.message : String(error);
}
