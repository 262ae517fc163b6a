import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../', import.meta.url));
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly scripts: Readonly<Record<string, string>> };
const folder = mkdtempSync(join(tmpdir(), 'concord-commands-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** As npm runs it, from source, in an empty folder. */
function run(script: string, args: readonly string[]): Promise<{ readonly status: number; readonly out: string; readonly err: string }> {
  const file = /(\S+)\.[jt]s$/.exec(scripts[script] ?? '')?.[1]?.replace('/dist/', '/') ?? '';
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'] };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, ['--conditions=@concord/source', '--import', import.meta.resolve('tsx'), join(root, `${file}.ts`), ...args], { cwd: folder, env, timeout: 50_000, killSignal: 'SIGKILL' }, (_error, out, err) =>
      resolve({ status: child.exitCode ?? -1, out, err }),
    );
  });
}

describe('The commands', () => {
  it.each(['start', 'token', 'compact', 'audit', 'backup', 'restore', 'faults', 'demo', 'example', 'bench', 'bench:cost', 'bench:nodes', 'bench:stalled', 'bench:compression'])(
    'tell their usage when asked, and after what is wrong with their arguments: npm run %s',
    async (script) => {
      const [asked, wrong] = await Promise.all([run(script, ['--help']), run(script, ['--nonsense'])]);
      expect(asked).toEqual({ status: 0, out: expect.stringMatching(/^Usage:\s[\s\S]*^Exit status: 0\b.*\b2\b[\s\S]*\n$/m) as string, err: '' });
      expect(asked.out).toContain(script === 'start' ? 'npm start' : `npm run ${script}`);
      expect(wrong).toEqual({ status: 2, out: '', err: `Unknown argument: --nonsense\n\n${asked.out}` });
    },
    60_000,
  );

  it('name the range that they take where a number is outside of it', async () => {
    const wrong = await Promise.all([run('compact', ['--days', '-3']), run('demo', ['--shared', 'x']), run('bench', ['--rounds', '0']), run('bench:cost', ['0'])]);
    expect(wrong.map(({ status, err }) => [status, err.split('\n')[0]])).toEqual([
      [2, '--days needs a whole number from 0 to 99999, not "-3".'],
      [2, '--shared needs a whole number from 0 to 1000000, not "x".'],
      [2, '--rounds needs a whole number from 1 to 99, not "0".'],
      [2, 'seconds needs a whole number from 1 to 999, not "0".'],
    ]);
  }, 60_000);
});
