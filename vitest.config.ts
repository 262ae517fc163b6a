import { defineConfig } from 'vitest/config';

/** Tests run from source: the rooms resolve each other through the `@concord/source` export condition, not through dist. */
export default defineConfig({
  resolve: { conditions: ['@concord/source', 'node', 'import', 'module', 'default'] },
  ssr: { resolve: { conditions: ['@concord/source', 'node', 'import', 'module', 'default'] } },
  test: {
    include: ['{core,schema,server,client,test}/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
