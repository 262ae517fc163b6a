import { describe, expect, it } from 'vitest';
import { runFaults } from './faults/run.js';

describe('Two nodes that are stopped, killed and frozen while they are edited', () => {
  it('lose and double nothing, and all nodes and replicas agree', { timeout: 180_000 }, async () => {
    const lines: string[] = [];
    const report = await runFaults({ seconds: 12, seed: 3, from: 'source', replicas: 2, rawWriters: 2, tell: (line) => lines.push(line) });
    process.stdout.write(`${lines.map((line) => `  ${line}\n`).join('')}  ${report.made} edits made, ${report.acknowledged} acknowledged meanwhile\n`);
    expect(report).toMatchObject({ lost: [], double: [], differences: [] });
    expect(report.faults.length).toBeGreaterThan(1);
    expect(report.acknowledged).toBeGreaterThan(10);
  });
});
