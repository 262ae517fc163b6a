// `prisma generate` looks for a schema engine that it does not use and would download it. Naming any existing executable
// keeps the step offline: the client it writes has no native engine.
import { spawnSync } from 'node:child_process';

const { status } = spawnSync('npx', ['prisma', 'generate', '--no-hints'], {
  stdio: ['ignore', 'ignore', 'inherit'],
  env: { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, PRISMA_HIDE_UPDATE_MESSAGE: '1' },
});
process.exit(status ?? 1);
