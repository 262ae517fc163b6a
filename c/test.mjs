// Builds and tests the C library: `npm run test:c`. Needs the packages below; as root on Debian or Ubuntu it installs what is missing.
// The last line is "N passed, N failed"; the exit status is 1 if anything failed.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const room = dirname(fileURLToPath(import.meta.url));
const root = dirname(room);
const build = join(room, 'build');
const sanitized = join(build, 'sanitized');
const prefix = join(build, 'install');
const packages = ['libcurl4-openssl-dev', 'libsqlite3-dev', 'libcjson-dev', 'cmake', 'g++', 'pkg-config'];
const scratch = mkdtempSync(join(tmpdir(), 'concord-c-'));
let passed = 0;
let failed = 0;

/** No step takes so long, whatever the machine: one that does hangs, and is killed. */
const longestMs = 10 * 60_000;

/** Runs a program to its end; its output is shown when it fails, or always with `show`. */
function run(program, args, { cwd = root, env = {}, show = false } = {}) {
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd, env: { ...process.env, ...env }, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024, timeout: longestMs, killSignal: 'SIGKILL' });
  const ok = status === 0 && error === undefined;
  const output = `${stdout ?? ''}${stderr ?? ''}${error === undefined ? '' : `${error.message}\n`}`;
  if (show || !ok) process.stdout.write(output);
  return { ok, output };
}

const has = (program, args) => spawnSync(program, args, { stdio: 'ignore' }).status === 0;

function prepared() {
  return has('cmake', ['--version']) && has('g++', ['--version']) && has('pkg-config', ['--exists', 'libcurl', 'sqlite3', 'libcjson']);
}

function prepare() {
  if (prepared()) return true;
  const line = `apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  if (process.getuid?.() === 0 && has('apt-get', ['--version'])) {
    console.log(`Installing what the C library needs: ${line}`);
    run('apt-get', ['update', '-qq']);
    if (run('apt-get', line.split(' ').slice(1), { env: { DEBIAN_FRONTEND: 'noninteractive' } }).ok && prepared()) return true;
  }
  console.log(`The C library needs system packages that are not installed. On Debian or Ubuntu run:\n\n  sudo ${line}\n`);
  return false;
}

function count(title, ok) {
  console.log(`  ${ok ? 'ok' : 'FAILED'} - ${title}`);
  if (ok) passed += 1;
  else failed += 1;
  return ok;
}

/** Adds up the "N passed, N failed" lines of the test programs; one that ended without it failed. */
function runTests(folder) {
  const { ok, output } = run('ctest', ['--test-dir', folder, '--verbose', '--timeout', '120'], {});
  const lines = [...output.matchAll(/(\d+) passed, (\d+) failed/g)];
  for (const [, good, bad] of lines) {
    passed += Number(good);
    failed += Number(bad);
  }
  if (!ok && lines.every(([, , bad]) => bad === '0')) failed += 1;
  return ok;
}

function configureAndBuild(folder, options) {
  return run('cmake', ['-S', room, '-B', folder, '-DSYNC_ENGINE_WERROR=ON', ...options]).ok && run('cmake', ['--build', folder, '--parallel', '2']).ok;
}

function testConsumers() {
  const consumer = join(room, 'test', 'consumer');
  const installed = run('cmake', ['--install', build, '--prefix', prefix]).ok;
  const environment = { PKG_CONFIG_PATH: readFileSync(join(build, 'install_manifest.txt'), 'utf8').split('\n').filter((file) => file.endsWith('.pc')).map(dirname).join(':') };
  const flags = run('pkg-config', ['--cflags', '--libs', 'sync_engine'], { env: environment });
  const libraries = /-L(\S+)/.exec(flags.output)?.[1] ?? '';
  const viaPkgConfig = join(scratch, 'consumer');
  count(
    'a program built through pkg-config runs',
    installed &&
      run('cc', [join(consumer, 'consumer.c'), '-o', viaPkgConfig, ...flags.output.trim().split(/\s+/)]).ok &&
      run(viaPkgConfig, [join(scratch, 'pkg.db')], { env: { LD_LIBRARY_PATH: libraries } }).ok,
  );
  const documented = join(scratch, 'readme.c');
  writeFileSync(documented, /```c\n([\s\S]*?)```/.exec(readFileSync(join(room, 'README.md'), 'utf8'))?.[1] ?? '');
  count('the program in the README builds', installed && run('cc', ['-std=c11', '-Wall', '-Werror', documented, '-o', join(scratch, 'readme'), ...flags.output.trim().split(/\s+/)]).ok);
  const viaCMake = join(scratch, 'cmake');
  count(
    'a program built through the CMake package runs',
    installed &&
      run('cmake', ['-S', consumer, '-B', viaCMake, `-DCMAKE_PREFIX_PATH=${prefix}`]).ok &&
      run('cmake', ['--build', viaCMake]).ok &&
      run(join(viaCMake, 'consumer'), [join(scratch, 'cmake.db')]).ok,
  );
}

/** Against the real server, with the sanitized library in the replicas. */
function testAgainstServer() {
  const report = join(scratch, 'report.json');
  const { ok } = run(
    process.execPath,
    [join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run', '--config', join(room, 'test', 'vitest.config.ts'), '--reporter=verbose', `--reporter=${join(root, 'test', 'stuck.reporter.ts')}`, '--reporter=json', `--outputFile=${report}`],
    { env: { SYNC_ENGINE_DRIVER: join(sanitized, 'test', 'driver'), SYNC_ENGINE_LIBRARY: join(build, 'libsync_engine.so') }, show: true },
  );
  try {
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, 'utf8'));
    passed += numPassedTests;
    failed += numFailedTests;
    if (!ok && numFailedTests === 0) failed += 1;
  } catch {
    failed += 1;
  }
}

try {
  if (!prepare()) {
    process.exitCode = 1;
  } else {
    if (count('the library builds without warnings', configureAndBuild(build, []))) {
      count('its tests pass', runTests(build));
      testConsumers();
    }
    if (count('the library builds with sanitizers', configureAndBuild(sanitized, ['-DSYNC_ENGINE_SANITIZE=ON', '-DCMAKE_BUILD_TYPE=Debug']))) {
      count('the sanitizers are really in it', run('nm', [join(sanitized, 'test', 'driver')]).output.includes('__asan_init'));
      count('its tests pass under AddressSanitizer and UndefinedBehaviorSanitizer', runTests(sanitized));
      testAgainstServer();
    }
    console.log(`${passed} passed, ${failed} failed`);
    process.exitCode = failed === 0 ? 0 : 1;
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
