import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { GraphQLParams } from 'graphql-yoga';
import { ConcordError } from '@concord/core';
import { parseLargeJson } from './graphql/large-json.js';
import { refuseLossyNumbers } from './graphql/lossy-numbers.js';
import { hashIn } from './operations.js';
import type { Charge } from './rate-limit/charge.js';
import type { Turns } from './rate-limit/turns.js';

/** Operations in one HTTP batch. */
export const mostOperationsInBatch = 10;

/** What a body may cost. */
export interface BodyRules {
  readonly mostBytes: number;
  readonly hasSession: boolean;
  readonly charge: Charge;
  readonly turns: Turns;
}

/** So many bytes cost as much as an operation. */
export const bytesPerOperation = 64 * 1024;
/** Without a session nothing is answered but what the schema is. */
export const anonymousBytes = 16 * 1024;

/**
 * The GraphQL parameters in the body of a POST. The size is checked before anything is parsed.
 * @throws ConcordError LIMIT_EXCEEDED, RATE_LIMITED, QUERY_TOO_COMPLEX (batch), INPUT_INVALID, VALUE_INVALID (a number that would be rounded).
 */
export async function readGraphQLBody(request: IncomingMessage, { mostBytes, hasSession, charge, turns }: BodyRules): Promise<GraphQLParams | GraphQLParams[]> {
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (type !== 'application/json' && type !== 'application/graphql-response+json') {
    // Also keeps a form on a foreign page from posting here.
    throw new ConcordError('INPUT_INVALID', `The body must be application/json, this one is ${type === '' ? 'without Content-Type' : type}.`);
  }
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') throw new ConcordError('INPUT_INVALID', `A body with Content-Encoding ${encoding} is not accepted; send it plain.`);
  checkCharset(request.headers['content-type'] ?? '');
  const bytes = await readBytes(request, mostBytes, hasSession);
  await charge.spend(Math.floor(bytes.length / bytesPerOperation));
  // Bytes that are no characters would become U+FFFD and be stored so.
  if (!isUtf8(bytes)) throw new ConcordError('INPUT_INVALID', 'The body is not UTF-8; send JSON as UTF-8.');
  let json: unknown;
  try {
    json = await parseLargeJson(bytes, turns);
  } catch (error) {
    throw new ConcordError('INPUT_INVALID', `The body is not JSON: ${error instanceof Error ? error.message : String(error)}. Send {"query": "…", "variables": {…}}.`);
  }
  await refuseLossyNumbers(bytes, turns);
  if (!Array.isArray(json)) return checkParams(json, '');
  if (json.length === 0) throw new ConcordError('INPUT_INVALID', 'The batch is empty; send at least one operation.');
  if (json.length > mostOperationsInBatch) {
    throw new ConcordError('QUERY_TOO_COMPLEX', `The batch has ${json.length} operations; ${mostOperationsInBatch} are allowed. Send several requests, or many edits in one push.`, {
      limit: mostOperationsInBatch,
      actual: json.length,
    });
  }
  return json.map((item, index) => checkParams(item, `/${index}`));
}

/** JSON is UTF-8 (RFC 8259); another declaration is of a caller who would find other characters than it sent. */
function checkCharset(contentType: string): void {
  const charset = /;\s*charset\s*=\s*"?([^\s";]*)/i.exec(contentType)?.[1];
  if (charset === undefined || /^utf-?8$/i.test(charset)) return;
  throw new ConcordError('INPUT_INVALID', `The body is declared as ${charset.slice(0, 40)}; send it as UTF-8, and Content-Type: application/json.`);
}

async function readBytes(request: IncomingMessage, mostBytes: number, hasSession: boolean): Promise<Buffer> {
  const cure = hasSession ? 'Send fewer edits in one push.' : 'Larger ones need a token: send the header "Authorization: Bearer <id>.<secret>".';
  const tooLarge = (actual: number) =>
    new ConcordError('LIMIT_EXCEEDED', `The request has ${actual} bytes or more; ${mostBytes} are allowed. ${cure}`, { limit: mostBytes, actual });
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > mostBytes) throw tooLarge(announced);
  const chunks: Buffer[] = [];
  let size = 0;
  // Left open where it ends early: the rest is read by who answers with the refusal.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > mostBytes) throw tooLarge(size);
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, size);
}

/**
 * What graphql-over-HTTP allows: a query with optional variables, operation name and extensions; nothing else is looked at. In
 * place of the query there may be a hash in `extensions`, or a `documentId`, which is passed on in that form.
 */
function checkParams(value: unknown, path: string): GraphQLParams {
  const bad = (message: string, member: string) => new ConcordError('INPUT_INVALID', message, { path: `${path}${member}` });
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw bad('A GraphQL request is an object like {"query": "{ viewer { name } }"}.', '');
  const { query: given, variables, operationName, documentId, extensions: others } = value as Record<string, unknown>;
  const named = typeof documentId === 'string' && !given;
  const extensions = named && isObjectOrNothing(others) ? { ...others, persistedQuery: { version: 1, sha256Hash: documentId } } : others;
  const query = given == null && isObjectOrNothing(extensions) && hashIn(extensions) !== null ? '' : given;
  if (typeof query !== 'string') throw bad(`query must be a text, it is ${query === undefined ? 'missing' : typeof query}.`, '/query');
  if (!isObjectOrNothing(variables)) throw bad('variables must be an object.', '/variables');
  if (!isObjectOrNothing(extensions)) throw bad('extensions must be an object.', '/extensions');
  if (operationName !== undefined && operationName !== null && typeof operationName !== 'string') throw bad('operationName must be a text.', '/operationName');
  return {
    query,
    ...(variables == null ? {} : { variables }),
    ...(extensions == null ? {} : { extensions }),
    ...(operationName == null ? {} : { operationName }),
  };
}

const isObjectOrNothing = (value: unknown): value is Record<string, unknown> | null | undefined =>
  value === undefined || value === null || (typeof value === 'object' && !Array.isArray(value));
