import path from 'node:path';
import type { Logger } from 'pino';
import { readCommandLine } from './arguments.js';
import { readConfig, type Config } from './config.js';
import { openDatabase, type Database } from './database.js';
import { loadEnvironmentFile } from './environment.js';
import { createLog } from './log.js';
import { hasDatabase, startEmbedded } from './postgres/embedded.js';
import { isConcords, migrate } from './postgres/migrate.js';

/** What a command has to say on standard output, and its exit status. */
export interface Outcome {
  readonly text: string;
  readonly status: 0 | 1;
}

/** What a command works with. */
export interface Surroundings {
  readonly connectionString: string;
  readonly database: Database;
  readonly config: Config;
  readonly log: Logger;
}

/** A command for operators, which works on the database whether the server runs or not. */
export interface CommandLine<Command> {
  readonly usage: string;
  /** @throws UsageError that says what is wrong. */
  readonly read: (args: readonly string[]) => Command;
  /**
   * `current` (default): that of a server, brought to the newest migrations. `as it is`: that of a server, not changed by this.
   * `empty`: the command sees to it.
   */
  readonly needs?: 'current' | 'as it is' | 'empty';
  /** What it throws is told on standard error, and the exit status is 1. */
  readonly run: (command: Command, surroundings: Surroundings) => Promise<Outcome>;
}

/** Runs a command with the arguments of the process, and ends the process. */
export function runCommandLine<Command>(commandLine: CommandLine<Command>): void {
  main(commandLine).then(
    (status) => process.exit(status),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      process.exit(1);
    },
  );
}

async function main<Command>({ usage, read, run, needs = 'current' }: CommandLine<Command>): Promise<number> {
  const told = readCommandLine(usage, read);
  if ('status' in told) return told.status;
  const { command } = told;
  loadEnvironmentFile();
  const config = readConfig({ ...process.env, NODE_ENV: 'development' });
  const log = createLog({ logLevel: 'warn', logPretty: true });
  if (needs !== 'empty' && config.databaseUrl === null && !(await hasDatabase(config.dataFolder))) throw new Error(noData(config));
  const embedded = config.databaseUrl === null ? await startEmbedded({ dataFolder: config.dataFolder, log }) : null;
  const connectionString = config.databaseUrl ?? embedded?.connectionString ?? '';
  try {
    if (needs !== 'empty' && !(await isConcords(connectionString))) throw new Error(noData(config));
    if (needs === 'current') await migrate(connectionString, log);
    const database = openDatabase({ connectionString, poolSize: 2, log });
    try {
      const { text, status } = await run(command, { connectionString, database, config, log });
      process.stdout.write(text);
      return status;
    } finally {
      await database.close();
    }
  } finally {
    await embedded?.stop();
  }
}

/** A command makes no database: the first start of the server does, with a workspace to have tokens for. */
function noData({ databaseUrl, dataFolder }: Config): string {
  const where = databaseUrl === null ? `${path.resolve(dataFolder)} (CONCORD_DATA)` : 'the database of DATABASE_URL';
  return `There is no data of Concord in ${where}. Nothing was done.
The first npm start makes it, with a token of the owner. If a server has run already, set CONCORD_DATA or DATABASE_URL as it has them.`;
}
