import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));

/**
 * Loads a package to measure beside, installing bench/package-lock.json first where it is not installed yet. The caller
 * declares the slice it uses, because the project's type check must not need the peers.
 */
export async function peer<Module>(name: string): Promise<Module> {
  if (!existsSync(new URL(`node_modules/${name}`, import.meta.url))) {
    execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  }
  const entry = createRequire(`${folder}peers.ts`).resolve(name);
  return (await import(pathToFileURL(entry).href)) as Module;
}
