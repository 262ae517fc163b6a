import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));

const installedIn = (name: string) => new URL(`node_modules/${name}/package.json`, import.meta.url);

/** Installs bench/package-lock.json where something of it is missing. */
export function installPeers(): void {
  const { dependencies } = JSON.parse(readFileSync(`${folder}package.json`, 'utf8')) as { dependencies: Record<string, string> };
  if (Object.entries(dependencies).every(([name, version]) => versionOf(name) === version)) return;
  process.stderr.write('Installing what is measured beside, from bench/package-lock.json …\n');
  execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Of a package in bench/node_modules; null when it is not installed. */
export function versionOf(name: string): string | null {
  if (!existsSync(installedIn(name))) return null;
  return (JSON.parse(readFileSync(installedIn(name), 'utf8')) as { version: string }).version;
}

/**
 * Loads a package to measure beside, installing bench/package-lock.json first where it is not installed yet. The caller
 * declares the slice it uses, because the project's type check must not need the peers.
 */
export async function peer<Module>(name: string): Promise<Module> {
  const packageName = name.split('/').slice(0, name.startsWith('@') ? 2 : 1).join('/');
  if (!existsSync(installedIn(packageName))) installPeers();
  return (await import(name)) as Module;
}

const requireOfServer = createRequire(new URL('../server/package.json', import.meta.url));

/**
 * Loads a package in the version that Concord's server runs on: a peer may have brought another one, which lies nearer to this
 * folder. The caller declares the slice it uses, because the types nearer here would be the other version's too.
 */
export function ofServer<Module>(name: string): Module {
  return requireOfServer(name) as Module;
}
