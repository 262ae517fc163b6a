import { open, readFile, rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { commandOf } from './binaries.js';

const lookMs = 50;

/** Does the work while no other process does work under the same file. One that died left the file behind; it is taken over. */
export async function withStartLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  while (!(await take(file))) await delay(lookMs);
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}

async function take(file: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx', 0o600);
    await handle.writeFile(String(process.pid));
    await handle.close();
    return true;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  const holder = await readHolder(file);
  // Empty: it is just being written.
  if (holder === '' || (await commandOf(Number(holder)))?.includes('node') === true) return false;
  if ((await readHolder(file)) === holder) await rm(file, { force: true });
  return false;
}

const readHolder = (file: string): Promise<string> => readFile(file, 'utf8').catch(() => '');
