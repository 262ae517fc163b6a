import { fail, ok, type ErrorCode, type Result } from './errors.js';
import { utf8Bytes } from './text.js';

declare const brand: unique symbol;
type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** Boundary of data, rights, limits and order. */
export type WorkspaceId = Brand<string, 'WorkspaceId'>;
/** One JSON value with an id, a title and a collection in a workspace. */
export type DocumentId = Brand<string, 'DocumentId'>;
/** One cache on one device. Two devices must never share one: the server refuses the second (`REPLICA_CLONED`). */
export type ReplicaId = Brand<string, 'ReplicaId'>;
/** Names one patch for ever: made once with the patch, unchanged by rebasing and by resending. */
export type PatchId = Brand<string, 'PatchId'>;
/** Who is calling. */
export type PrincipalId = Brand<string, 'PrincipalId'>;
/** How many changes a document has had: 0 before its creation, +1 a change. A safe integer. */
export type Revision = Brand<number, 'Revision'>;
/** Place in the feed of a workspace: 0 before the first change, +1 a change, without holes. A safe integer. */
export type Position = Brand<number, 'Position'>;
/** Number of a replica's edits on one document: starts at 1, no gaps. */
export type Counter = Brand<number, 'Counter'>;
/** Opaque name of a position in one epoch of a workspace; given as `after`, exclusive. */
export type Cursor = Brand<string, 'Cursor'>;

/** Letters, digits and `. _ ~ : -`: safe in URLs, in SQL and in file names of every system but Windows (`:`). */
const idText = /^[A-Za-z0-9._~:-]+$/;

function idParser<Id extends string>(name: string, longest: number, code: ErrorCode = 'INPUT_INVALID') {
  return (text: unknown): Result<Id> => {
    if (typeof text === 'string' && text.length <= longest && idText.test(text)) return ok(text as Id);
    return fail({
      code,
      message: `${shown(text)} is not a ${name}: 1 to ${longest} characters of A-Z a-z 0-9 . _ ~ : - are`,
      ...(typeof text === 'string' && text.length > longest ? { limit: longest, actual: text.length } : {}),
    });
  };
}

function countParser<Count extends number>(name: string, least: 0 | 1, code: ErrorCode) {
  return (value: unknown): Result<Count> => {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return ok((value === 0 ? 0 : value) as Count);
    return fail({ code, message: `${shown(value)} is not a ${name}: a whole number from ${least} to 2^53-1 is` });
  };
}

/** What came instead, short enough for a log line. */
function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (value === null || typeof value === 'number' || typeof value === 'boolean' || value === undefined) return String(value);
  return Array.isArray(value) ? 'An array' : `A value of type ${typeof value}`;
}

/*
 * The doors to the brands. Each takes anything, never throws, costs the length of its input up to the limit, and says in
 * its refusal what came instead.
 */

/** 1 to 128 characters of A-Z a-z 0-9 . _ ~ : - ; refuses with `INPUT_INVALID`. */
export const parseWorkspaceId = idParser<WorkspaceId>('workspace id', 128);
/** UTF-8 bytes of the id of a document. */
export const maxDocumentIdBytes = 256;

/** Control characters and what ends a line: nobody types them on purpose, and they would break lines of logs. */
// eslint-disable-next-line no-control-regex
const controls = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/**
 * What people have as names: e-mail addresses, paths, numbers of orders, words of any script. 1 to 256 bytes of UTF-8, without
 * control characters and lone surrogates, and without white space at either end. Ids are compared byte by byte: texts that only look
 * the same (another Unicode normal form, other case) are other ids. Refuses with `INPUT_INVALID`.
 */
export function parseDocumentId(text: unknown): Result<DocumentId> {
  if (typeof text !== 'string' || text === '') return refuseId(text, 'it is a text of 1 to 256 bytes');
  const bytes = text.length > maxDocumentIdBytes ? text.length : utf8Bytes(text);
  if (bytes > maxDocumentIdBytes) return refuseId(text, `it has ${bytes} bytes or more, ${maxDocumentIdBytes} are allowed`, { limit: maxDocumentIdBytes, actual: bytes });
  if (controls.test(text) || /\p{Surrogate}/u.test(text)) return refuseId(text, 'it holds a control character or a lone surrogate; leave it out');
  if (text !== text.trim()) return refuseId(text, 'it begins or ends with white space; trim it');
  return ok(text as DocumentId);
}

const refuseId = (text: unknown, why: string, size: { readonly limit?: number; readonly actual?: number } = {}): Result<never> =>
  fail({ code: 'INPUT_INVALID', message: `${shown(text)} is not a document id: ${why}`, ...size });
/** 1 to 128 characters of A-Z a-z 0-9 . _ ~ : - ; refuses with `INPUT_INVALID`. */
export const parsePrincipalId = idParser<PrincipalId>('principal id', 128);
/** A UUID is one, and so is any other text of 1 to 64 characters of the alphabet; refuses with `INPUT_INVALID`. */
export const parsePatchId = idParser<PatchId>('patch id', 64);
/** Only the shape is checked; whether this server made it, the server knows. Refuses with `CURSOR_INVALID`. */
export const parseCursor = idParser<Cursor>('cursor', 256, 'CURSOR_INVALID');
/** A safe integer from 0; refuses with `CLOCK_MALFORMED`. */
export const parseRevision = countParser<Revision>('revision', 0, 'CLOCK_MALFORMED');
/** A safe integer from 0; refuses with `INPUT_INVALID`. */
export const parsePosition = countParser<Position>('position', 0, 'INPUT_INVALID');
/** A safe integer from 1; refuses with `CLOCK_MALFORMED`. */
export const parseCounter = countParser<Counter>('counter', 1, 'CLOCK_MALFORMED');

/** 128 random bits as 32 lowercase hex digits; nothing else, so that an id has one spelling. Refuses with `CLOCK_MALFORMED`. */
export function parseReplicaId(text: unknown): Result<ReplicaId> {
  if (typeof text === 'string' && /^[0-9a-f]{32}$/.test(text)) return ok(text as ReplicaId);
  return fail({ code: 'CLOCK_MALFORMED', message: `${shown(text)} is not a replica id: 32 lowercase hexadecimal digits (128 random bits) are` });
}
