/** One thing to measure: `run` does the work `times` times. */
export interface Contender {
  readonly name: string;
  readonly run: (times: number) => void;
}

export interface Measured {
  readonly name: string;
  /** Of the best round: other processes on the machine only ever slow a round down. */
  readonly perSecond: number;
}

/** Runs contenders in turns, so that heat and neighbours meet all of them, and keeps each one's best round. */
export function race(contenders: readonly Contender[], { rounds = 5, roundMs = 300 } = {}): readonly Measured[] {
  const best = new Map<string, number>();
  const times = new Map<string, number>();
  for (const { name, run } of contenders) {
    // Warms up, and finds how many times fill a round.
    let count = 1;
    for (let elapsedMs = 0; elapsedMs < roundMs / 2; count *= 2) {
      const start = performance.now();
      run(count);
      elapsedMs = performance.now() - start;
    }
    times.set(name, count);
  }
  for (let round = 0; round < rounds; round++) {
    for (const { name, run } of contenders) {
      const count = times.get(name)!;
      const start = performance.now();
      run(count);
      const perSecond = (count * 1000) / (performance.now() - start);
      best.set(name, Math.max(best.get(name) ?? 0, perSecond));
    }
  }
  return contenders.map(({ name }) => ({ name, perSecond: best.get(name)! }));
}

const number = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** A table: rate of each, time of one, and how many times the first is as fast. */
export function report(title: string, measured: readonly Measured[], unit: string): string {
  const own = measured[0]!.perSecond;
  const lines = measured.map(({ name, perSecond }, index) => {
    const ratio = index === 0 ? '' : `  (${measured[0]!.name} is ${(own / perSecond).toFixed(2)}x)`;
    return `  ${name.padEnd(38)} ${number.format(perSecond).padStart(12)} ${unit}/s ${duration(1 / perSecond).padStart(10)}${ratio}`;
  });
  return [title, ...lines, ''].join('\n');
}

export function duration(seconds: number): string {
  if (seconds >= 1) return `${seconds.toFixed(2)} s`;
  if (seconds >= 1e-3) return `${(seconds * 1e3).toFixed(2)} ms`;
  return `${(seconds * 1e6).toFixed(2)} µs`;
}
