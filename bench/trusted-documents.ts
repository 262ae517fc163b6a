/**
 * What sending a hash instead of the text saves: bytes of a message, and the time to read it and find its operation.
 *
 *     npx tsx --conditions=@concord/source bench/trusted-documents.ts
 */
import { schema } from '@concord/schema';
import { parse, print } from 'graphql';
import { createOperations, sessionBounds, type SentOperation } from '../server/operations.js';
import { defaultQueryLimits } from '../server/query-limits.js';
import { readTrustedDocuments } from '../server/trusted-documents.js';

const rounds = 9;
const messages = 20_000;

const trusted = readTrustedDocuments({ file: null, only: false });
const operations = createOperations(schema, defaultQueryLimits, trusted, { introspection: true });

function microseconds(message: string): number {
  const start = performance.now();
  for (let count = 0; count < messages; count++) {
    const { payload } = JSON.parse(message) as { readonly payload: SentOperation };
    if (operations.check(payload, sessionBounds).document === null) throw new Error(`Not an operation: ${message}`);
  }
  return ((performance.now() - start) * 1000) / messages;
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

const edit = { documentId: 'note', patchId: 'a'.repeat(36), counter: 1, clock: { epoch: 1, base: 1 }, patch: [{ op: 'inc', path: '/likes', value: 1 }] };
const sent: readonly (readonly [string, Record<string, unknown>])[] = [
  ['mutation Push', { replicaId: 'a'.repeat(32), edits: [edit] }],
  ['subscription Changes', { after: '1.1' }],
  ['query Heads', { ids: ['note'], first: 1 }],
];

process.stdout.write('| message | bytes with its text | with its hash | µs with its text | with its hash |\n| --- | --- | --- | --- | --- |\n');
for (const [name, variables] of sent) {
  const [id, text] = [...trusted.documents].find(([, document]) => document.includes(`${name}(`)) ?? [];
  if (id === undefined || text === undefined) throw new Error(`There is no ${name} among the trusted documents.`);
  const message = (operation: SentOperation) => JSON.stringify({ id: '1', type: 'subscribe', payload: { ...operation, variables } });
  // As the client prints it: another text than the one in the manifest, found in the cache from the second time on.
  const byText = message({ query: print(parse(text)) });
  const byHash = message({ query: '', extensions: { persistedQuery: { version: 1, sha256Hash: id.replace('sha256:', '') } } });
  const times = Array.from({ length: rounds }, () => [microseconds(byText), microseconds(byHash)] as const);
  process.stdout.write(`| ${name} | ${byText.length} | ${byHash.length} | ${median(times.map(([a]) => a)).toFixed(1)} | ${median(times.map(([, b]) => b)).toFixed(1)} |\n`);
}
