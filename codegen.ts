import type { CodegenConfig } from '@graphql-codegen/cli';

// The client meets the schema only here: schema/schema.graphql and client/operations.graphql become client/generated/.
// `npx graphql-codegen` writes, `npx graphql-codegen --check` says whether what is committed is current.
const config: CodegenConfig = {
  schema: 'schema/schema.graphql',
  documents: 'client/operations.graphql',
  emitLegacyCommonJSImports: false,
  importExtension: '.js',
  generates: {
    'client/generated/': {
      preset: 'client',
      // Each document carries its hash; persisted-documents.json has the texts, from which schema/trusted.ts makes the server's list.
      presetConfig: { fragmentMasking: false, persistedDocuments: true },
      config: {
        useTypeImports: true,
        enumsAsTypes: true,
        immutableTypes: true,
        strictScalars: true,
        defaultScalarType: 'never',
        scalars: {
          ID: { input: 'string', output: 'string' },
          JSON: '@concord/core#JsonValue',
          DateTime: 'string',
          Revision: '@concord/core#Revision',
          Position: '@concord/core#Position',
          Cursor: '@concord/core#Cursor',
          Counter: '@concord/core#Counter',
          Pointer: 'string',
          ChangeRow: '../change-row.js#ChangeRow',
        },
      },
    },
    'client/generated/schema.ts': { plugins: ['./client/sdl-plugin.mjs'] },
  },
};

export default config;
