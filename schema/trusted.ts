import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

// Writes schema/trusted-documents.json: the operations of the generated TypeScript client and of the C library by their hashes,
// so that the server knows them before they are sent. With --check, only says whether it is current (exit status 1 when not).
const file = new URL('./trusted-documents.json', import.meta.url);
const clientDocuments = new URL('../client/generated/persisted-documents.json', import.meta.url);
const cSources = new URL('../c/src/', import.meta.url);

const literal = /"(?:[^"\\\n]|\\.)*"/.source;
const part = `(?:${literal}|[A-Z_]+)`;

/** The operations of the C library: constants put together of literals and of macros that are literals. */
function cDocuments(): readonly string[] {
  const source = readdirSync(cSources).sort().map((name) => readFileSync(new URL(name, cSources), 'utf8').replaceAll('\\\n', '\n')).join('\n');
  const macros = new Map<string, string>();
  const textOf = (parts = ''): string => [...parts.matchAll(new RegExp(part, 'g'))].map(([one]) => (one.startsWith('"') ? (JSON.parse(one) as string) : (macros.get(one) ?? ''))).join('');
  for (const [, name = '', parts] of source.matchAll(new RegExp(`^#define (\\w+)\\s+((?:${literal}\\s*)+)`, 'gm'))) macros.set(name, textOf(parts));
  return [...source.matchAll(new RegExp(`^static const char \\w+\\[\\] =\\s*((?:${part}\\s*)+);`, 'gm'))].map(([, parts]) => textOf(parts)).filter((text) => /^(query|mutation|subscription) /.test(text));
}

const documents = {
  ...(JSON.parse(readFileSync(clientDocuments, 'utf8')) as Record<string, string>),
  ...Object.fromEntries(cDocuments().map((text) => [`sha256:${createHash('sha256').update(text).digest('hex')}`, text])),
};
const text = `${JSON.stringify(documents, null, 2)}\n`;
if (!process.argv.includes('--check')) {
  writeFileSync(file, text);
} else if (readFileSync(file, 'utf8') !== text) {
  process.stderr.write('schema/trusted-documents.json is not what the operations of the clients make. Run "npm run generate" and commit it.\n');
  process.exit(1);
}
