import { readFileSync, writeFileSync } from 'node:fs';
import { printedSchema } from './schema.js';

// Writes schema/schema.graphql; with --check, only says whether it is current (exit status 1 when it is not).
const file = new URL('./schema.graphql', import.meta.url);
const text = printedSchema();
if (!process.argv.includes('--check')) {
  writeFileSync(file, text);
} else if (readFileSync(file, 'utf8') !== text) {
  process.stderr.write('schema/schema.graphql is not what schema/*.ts prints. Run "npm run generate" and commit it.\n');
  process.exit(1);
}
