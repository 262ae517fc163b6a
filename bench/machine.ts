import { execFileSync } from 'node:child_process';
import { cpus, loadavg, release, totalmem } from 'node:os';

/** As the reports name it. */
export const machine = `${cpus().length} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), ${(totalmem() / 2 ** 30).toFixed(0)} GiB, ${process.platform} ${release()}, Node ${process.version}`;

/** The commit that is measured. To be asked for before the measurement: another may be made while it runs. */
export function revision(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return 'an unknown revision';
  }
}

/** When, of which commit and on what it is measured. To be asked for before the measurement, because it tells the load before it. */
export const provenance = (): string =>
  `${new Date().toISOString()}, Concord at ${revision()}; ${machine};\nPostgreSQL as Concord embeds it, durable. Load average before: ${loadavg()[0]!.toFixed(2)}.`;
