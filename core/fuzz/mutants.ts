/**
 * Breaks one rule of the merge at a time, in a copy of core, and shows that the tests notice. A mutant that survives is a
 * rule that no test holds: the program names it and exits with 1.
 *
 *     npm run mutants            (all)
 *     npm run mutants -- text    (those whose name holds the word)
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mutants, type Mutant } from './mutant-list.js';

const top = fileURLToPath(new URL('../..', import.meta.url));
const copy = mkdtempSync(join(tmpdir(), 'concord-mutants-'));
const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** Cheapest first: most mutants fall at the first file. */
const tests = ['transform', 'correction', 'exhaustive', 'conflict', 'bridge', 'squash', 'laws', 'oracle'].map((name) => `core/test/${name}.test.ts`);

/** The title of the test that failed first; undefined where all passed. */
const firstFailure = (): string | undefined => {
  for (const test of tests) {
    const run = spawnSync(
      process.execPath,
      [join(top, 'node_modules/vitest/vitest.mjs'), 'run', '--root', copy, '--bail', '1', '--reporter', 'json', test],
      { encoding: 'utf8', env: { ...process.env, FUZZ_SEED: '1' }, timeout: 120_000 },
    );
    if (run.status === 0) continue;
    const title = /"status":"failed","title":"((?:[^"\\]|\\.)*)"/.exec(run.stdout)?.[1];
    return `${test.slice('core/test/'.length)}: ${title ?? (run.signal === null ? 'does not run' : 'does not end')}`;
  }
  return undefined;
};

const withMutant = (mutant: Mutant, run: () => void): void => {
  const file = join(copy, 'core', mutant.file);
  const source = readFileSync(file, 'utf8');
  if (source.split(mutant.find).length !== 2) {
    throw new Error(`The mutant "${mutant.name}" does not fit ${mutant.file} in one place; bring mutant-list.ts up to date.`);
  }
  writeFileSync(file, source.replace(mutant.find, () => mutant.replace));
  try {
    run();
  } finally {
    writeFileSync(file, source);
  }
};

try {
  for (const folder of ['core', 'fixtures']) {
    cpSync(join(top, folder), join(copy, folder), {
      recursive: true,
      filter: (path) => !path.includes('node_modules') && !path.endsWith('dist'),
    });
  }
  cpSync(join(top, 'tsconfig.base.json'), join(copy, 'tsconfig.base.json'));
  // Not the project's own: core needs no database.
  writeFileSync(join(copy, 'vitest.config.js'), "export default { test: { include: ['core/**/*.test.ts'], testTimeout: 60_000 } };\n");
  symlinkSync(join(top, 'node_modules'), join(copy, 'node_modules'));

  const healthy = firstFailure();
  if (healthy !== undefined) throw new Error(`Without any mutant a test fails: ${healthy}`);
  const word = process.argv[2] ?? '';
  const chosen = mutants.filter(({ name }) => name.includes(word));
  const survivors: Mutant[] = [];
  for (const mutant of chosen) {
    withMutant(mutant, () => {
      const caught = firstFailure();
      if (caught === undefined) survivors.push(mutant);
      print(`${caught === undefined ? 'SURVIVED' : 'caught  '} ${mutant.name}${caught === undefined ? '' : ` (${caught})`}`);
    });
  }
  print(`${chosen.length - survivors.length} of ${chosen.length} mutants caught`);
  process.exitCode = survivors.length === 0 ? 0 : 1;
} finally {
  rmSync(copy, { recursive: true, force: true });
}
