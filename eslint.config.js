import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** Arrows between the rooms run one way: core ← schema ← server, core ← client. Tests may look across. */
const arrows = [
  { room: 'core', forbidden: ['@concord/*', 'node:*'] },
  { room: 'schema', forbidden: ['@concord/server', '@concord/client', '@prisma/*'] },
  { room: 'server', forbidden: ['@concord/client'] },
  { room: 'client', forbidden: ['@concord/server', '@concord/schema', '@prisma/*'] },
].map(({ room, forbidden }) => ({
  files: [`${room}/**/*.ts`],
  ignores: [`${room}/{test,bench,fuzz}/**`],
  rules: { 'no-restricted-imports': ['error', { patterns: forbidden }] },
}));

export default tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**', '**/generated/**', 'c/build/**', 'bench/node_modules/**'] },
  js.configs.recommended,
  ...tseslint.configs.recommendedTypeChecked.map((config) => ({ ...config, files: ['**/*.ts'] })),
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { project: './tsconfig.check.json' } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-console': 'error',
    },
  },
  ...arrows,
  { files: ['examples/*.ts'], rules: { 'no-console': 'off' } },
  {
    files: ['**/*.mjs', '**/*.js'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly' } },
  },
);
