import { spawnSync } from 'node:child_process';
import type { Reporter, TestModule } from 'vitest/node';

/** Twice what the longest test may take. */
const patienceMs = 240_000;

/**
 * Ends a run in which nothing happens any more, and names the file. Time limits of tests cannot: they are timers of the process that a
 * loop without a pause (promises that resolve at once are one) keeps from running.
 */
export default class StuckReporter implements Reporter {
  private readonly running = new Set<TestModule>();
  private last = 'none';
  private timer: NodeJS.Timeout | undefined;

  onTestModuleStart(module: TestModule): void {
    this.running.add(module);
    this.wait();
  }

  onTestCaseResult(test: { readonly fullName: string }): void {
    this.last = test.fullName;
    this.wait();
  }

  onTestModuleEnd(module: TestModule): void {
    this.running.delete(module);
    this.wait();
  }

  onTestRunEnd(): void {
    clearTimeout(this.timer);
  }

  private wait(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.end(), patienceMs);
    this.timer.unref();
  }

  private end(): void {
    const files = [...this.running].map((module) => module.relativeModuleId);
    process.stderr.write(`\nNo test has ended for ${patienceMs / 1000} s: ${files.join(', ')} hangs, after "${this.last}". Look there for a loop that never lets a timer or a socket have its turn.\n`);
    // Killed, not asked: they do not listen. What they started themselves watches for their end.
    spawnSync('pkill', ['-KILL', '-P', String(process.pid)]);
    process.exit(1);
  }
}
