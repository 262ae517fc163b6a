export * from './context.js';
export { schema, printedSchema } from './schema.js';
