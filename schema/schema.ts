import { lexicographicSortSchema, printSchema, type GraphQLSchema } from 'graphql';
import { builder } from './builder.js';
import './scalars.js';
import './workspace.js';
import './document.js';
import './mutation.js';
import './feed.js';
import './administration.js';
import { checkingTexts } from './texts.js';
import './members.js';
import './audit.js';

/** The executable schema. Its context is `Context`. */
export const schema: GraphQLSchema = checkingTexts(builder.toSchema());

/** The contract as text, sorted, as committed in schema/schema.graphql. */
export const printedSchema = (): string => `${printSchema(lexicographicSortSchema(schema))}\n`;
