import { createRequire } from 'node:module';
import { defineConfig } from 'vitest/config';

// Vitest hands these to Node too, where `import` among them would make require() load ES modules.
const conditions = ['@concord/source', 'node'];

/**
 * Tests run from source: the rooms resolve each other through the `@concord/source` export condition, not through dist.
 * graphql 16 ships two builds and refuses to mix them; the alias makes ours the one that its dependents load in Node.
 */
export default defineConfig({
  resolve: { conditions, alias: [{ find: /^graphql$/, replacement: createRequire(import.meta.url).resolve('graphql') }] },
  ssr: { resolve: { conditions } },
  test: {
    include: ['{core,schema,server,client,test}/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    globalSetup: ['test/postgres.global.ts', 'test/redis.global.ts'],
    reporters: ['default', './test/stuck.reporter.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
