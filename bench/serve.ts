import { loadSystem, type SystemName } from './system.js';

/** `node --import tsx bench/serve.ts <system> <folder> [postgres]`, forked: tells its address as a message and serves until it is killed. */
const [name, folder, postgres] = process.argv.slice(2);
if (name === undefined || folder === undefined) throw new Error('give a system and a folder');
const { serve } = await loadSystem(name as SystemName);
if (serve === undefined) throw new Error(`${name} is not served by the bench`);
// By exit, so that a CPU profile is written.
for (const end of ['disconnect', 'SIGTERM'] as const) process.on(end, () => process.exit(0));
const { url } = await serve({ folder, postgres: postgres ?? null });
process.send?.({ url });
