export type * from './administration-port.js';
export type * from './commit-port.js';
export type * from './context.js';
export type * from './feed-port.js';
export type * from './read-port.js';
export type * from './viewer.js';
export { schema, printedSchema } from './schema.js';
