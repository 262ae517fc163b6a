import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/**
 * Operations that the server was given before anyone sends them: parsed and checked at the start, and sent as their hash alone.
 * Callers cannot add to them.
 */
export interface TrustedDocuments {
  /** Texts by the id they are sent as: `sha256:` and the hash of the text in hexadecimal, or what else a manifest has. */
  readonly documents: ReadonlyMap<string, string>;
  /** True: nothing else is run, hash or text. */
  readonly only: boolean;
}

/**
 * The operations of Concord's own clients, and of `file`: a JSON object of texts by their ids, as graphql-codegen writes it.
 * @throws Error naming the file, and the id of what is wrong in it.
 */
export function readTrustedDocuments({ file, only }: { readonly file: string | null; readonly only: boolean }): TrustedDocuments {
  // Read by `require`, which finds it beside the schema's source and in an installed package alike.
  const documents = new Map(Object.entries(createRequire(import.meta.url)('@concord/schema/trusted-documents.json') as Record<string, string>));
  for (const [id, text] of file === null ? [] : readManifest(file)) documents.set(id, text);
  return { documents, only };
}

/** As GraphQL over HTTP writes it, or as `persistedQuery.sha256Hash` is sent. Every other id is the app's own affair. */
const claimsToBeHash = /^(?:sha256:|[0-9a-f]{64}$)/i;

function readManifest(file: string): readonly (readonly [string, string])[] {
  const wrong = (what: string, cause?: unknown) =>
    new Error(`TRUSTED_DOCUMENTS: ${file} ${what}. Give the persisted-documents.json of @graphql-codegen's client preset: {"sha256:<hash>": "<operation>", …}.`, { cause });
  let manifest: unknown;
  try {
    manifest = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw wrong(`cannot be read (${error instanceof Error ? error.message : String(error)})`, error);
  }
  if (typeof manifest !== 'object' || manifest === null || Array.isArray(manifest)) throw wrong('is not a JSON object');
  return Object.entries(manifest).map(([id, text]: [string, unknown]) => {
    if (typeof text !== 'string') throw wrong(`has something else than a text under ${JSON.stringify(id)}`);
    const hash = createHash('sha256').update(text).digest('hex');
    // With another text under it, programs would run what they do not mean.
    if (claimsToBeHash.test(id) && id !== hash && id !== `sha256:${hash}`) throw wrong(`has under the id ${id} an operation whose hash is sha256:${hash}; it begins: ${text.slice(0, 80)}`);
    return [id, text] as const;
  });
}
