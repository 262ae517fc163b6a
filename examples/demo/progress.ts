import { stderr } from 'node:process';

/** A progress bar on a terminal; a line a stage elsewhere. */
export class Progress {
  private readonly interactive = stderr.isTTY;

  stage(name: string): (done: number, total: number) => void {
    if (!this.interactive) stderr.write(`${name} …\n`);
    let drawn = '';
    return (done, total) => {
      if (!this.interactive) return;
      const share = total === 0 ? 1 : Math.min(1, done / total);
      const bar = '█'.repeat(Math.round(share * 30)).padEnd(30, '░');
      const line = `${name.padEnd(34)} ${bar} ${done}/${total}`;
      if (line === drawn) return;
      drawn = line;
      stderr.write(`\r${line}\u001b[K${share === 1 ? '\n' : ''}`);
    };
  }
}

/** Middle value; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

export const milliseconds = (value: number): string => (Number.isNaN(value) ? '–' : value >= 1000 ? `${(value / 1000).toFixed(2)} s` : `${value.toFixed(value < 10 ? 2 : 0)} ms`);
