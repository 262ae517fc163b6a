import { lexicographicSortSchema, printSchema } from 'graphql';

// Plugin of graphql-codegen: the schema as a constant, so that the client can answer queries from SQLite without a file beside it.
export const plugin = (schema) =>
  `/** schema/schema.graphql, for answering queries locally. */\nexport const sdl = ${JSON.stringify(printSchema(lexicographicSortSchema(schema)))};\n`;
