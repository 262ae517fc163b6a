import { pino, type Logger } from 'pino';
import type { Config } from './config.js';

/** Structured lines on standard error; standard output is for the few lines a person reads at start. Secrets are cut out. */
export function createLog({ logLevel, logPretty }: Pick<Config, 'logLevel' | 'logPretty'>): Logger {
  return pino(
    {
      level: logLevel,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: ['token', 'password', 'secret', 'authorization', 'connectionString', '*.token', '*.password', '*.authorization', '*.connectionString', 'req.headers'], censor: '(hidden)' },
    },
    logPretty ? prettyStream() : pino.destination({ fd: 2, sync: true }),
  );
}

/** One readable line for each entry: time, level, message, then the other facts. */
function prettyStream(): { write(line: string): void } {
  return {
    write(line) {
      const { time, level, msg, err, ...facts } = JSON.parse(line) as Record<string, unknown> & { time: string; level: string; msg?: string; err?: { stack?: string } };
      const rest = Object.keys(facts).length === 0 ? '' : ` ${JSON.stringify(facts)}`;
      process.stderr.write(`${time.slice(11, 23)} ${level.toUpperCase().padEnd(5)} ${msg ?? ''}${rest}${err?.stack === undefined ? '' : `\n${err.stack}`}\n`);
    },
  };
}
