import {
  ConcordError,
  checkValue,
  errorCodes,
  mostReportedConflicts,
  parseConflict,
  parseCounter,
  parsePatch,
  parsePatchId,
  parseReplicaId,
  type Counter,
  type ErrorCode,
  type Failure,
  type JsonValue,
  type Limits,
  type PatchId,
  type ReplicaId,
  type Result,
  type Revision,
} from '@concord/core';
import { builder } from './builder.js';
import type { DocumentId } from '@concord/core';
import type { Edit, EditAction, EditClock, ReportedConflict, Stamp, UnreadableEdit } from './commit-port.js';

// What a caller sends: inputs of the edits, and their way into core types.

const ClockEntryInput = builder.inputType('ClockEntryInput', {
  description: 'One component of a vector clock.',
  fields: (t) => ({
    replicaId: t.id({ required: true, description: 'A replica.' }),
    counter: t.field({ type: 'Counter', required: true, description: 'How many of its edits on the document the author had seen, own edit included.' }),
  }),
});

export const ClockInput = builder.inputType('ClockInput', {
  description:
    'What the author of a patch had seen of the document. Give `base` or `vector`, not both: the changes of a document form a chain, so the revision the patch was made on says the same as the full vector.',
  fields: (t) => ({
    epoch: t.int({ required: true, description: 'Epoch of the workspace history; it is 1 until an operator rewrites the history.' }),
    base: t.field({ type: 'Revision', required: false, description: 'Revision the patch was made on; 0 for a creation. Own edits that are not yet committed do not count.' }),
    vector: t.field({ type: [ClockEntryInput], required: false, description: 'For each replica, how many of its edits the document contained; for the author, the counter of this edit.' }),
  }),
});

const CreateInput = builder.inputType('CreateInput', {
  description: 'Creates a document.',
  fields: (t) => ({
    collection: t.string({ required: false, description: 'Groups documents. Default: "default".' }),
    title: t.string({ required: false, description: 'For people. Default: empty.' }),
    value: t.field({ type: 'JSON', required: false, description: 'The document. Left out: an empty object; `null` is the JSON value null.' }),
  }),
});

const EditActionInput = builder.inputType('EditActionInput', {
  isOneOf: true,
  description: 'What an edit does: exactly one of these.',
  fields: (t) => ({
    create: t.field({ type: CreateInput, description: 'Create the document.' }),
    patch: t.field({ type: 'JSON', description: 'Apply RFC 6902 operations (and `inc`, `str_ins`, `str_del`).' }),
    delete: t.boolean({ description: '`true`: make it a tombstone.' }),
    restore: t.boolean({ description: '`true`: bring a tombstone back.' }),
  }),
});

const ConflictInput = builder.inputType('ConflictInput', {
  description: 'What the author\'s own merge dropped or weakened when it rebased the edit past a change of somebody else, before sending it. The server sees only the rebased edit; this makes the loss known to everybody.',
  fields: (t) => ({
    revision: t.field({ type: 'Revision', required: true, description: 'Revision of the other change.' }),
    conflict: t.field({ type: 'JSON', required: true, description: 'The conflict as the merge reports it: rule, loser, losing, winning, path, and where there are any, lost and place.' }),
  }),
});

export const EditInput = builder.inputType('EditInput', {
  description: 'One edit of one document by one replica. Sent again with the same ids it gets the same verdict.',
  fields: (t) => ({
    documentId: t.id({ required: true, description: 'The document; for a creation, a new id chosen by the caller (a UUID is good).' }),
    patchId: t.id({ required: true, description: 'Made once with the edit (a UUID is good).' }),
    counter: t.field({ type: 'Counter', required: true, description: 'Number of this edit among those of the replica on this document: 1, 2, 3 …' }),
    clock: t.field({ type: ClockInput, required: true, description: 'What the author had seen.' }),
    action: t.field({ type: EditActionInput, required: true, description: 'What to do.' }),
    conflicts: t.field({ type: [ConflictInput], required: false, description: `At most ${mostReportedConflicts}.` }),
  }),
});

export const StampInput = builder.inputType('StampInput', {
  description: 'Identity and context of an edit, for callers that keep clocks.',
  fields: (t) => ({
    replicaId: t.id({ required: true, description: 'The replica: 32 lowercase hexadecimal digits.' }),
    patchId: t.id({ required: true, description: 'Made once with the edit.' }),
    counter: t.field({ type: 'Counter', required: true, description: 'Number of this edit among those of the replica on this document.' }),
    clock: t.field({ type: ClockInput, required: true, description: 'What the author had seen.' }),
  }),
});

export const ErrorCodeEnum = builder.enumType('ErrorCode', {
  description: 'Every way Concord can say no. docs/ERRORS.md has a section for each.',
  values: Object.fromEntries(Object.entries(errorCodes).map(([code, description]) => [code, { value: code, description }])) as {
    [Code in ErrorCode]: { value: Code; description: string };
  },
});

export interface ClockArgument {
  readonly epoch: number;
  readonly base?: Revision | null | undefined;
  readonly vector?: readonly { readonly replicaId: string; readonly counter: number }[] | null | undefined;
}

export interface StampArgument {
  readonly patchId: string;
  readonly counter: number;
  readonly clock: ClockArgument;
}

export interface ConflictArgument {
  readonly revision: Revision;
  readonly conflict?: JsonValue | undefined;
}

export interface ActionArgument {
  readonly create?: CreateArgument | null | undefined;
  readonly patch?: JsonValue | null | undefined;
  readonly delete?: boolean | null | undefined;
  readonly restore?: boolean | null | undefined;
}

export interface CreateArgument {
  readonly collection?: string | null | undefined;
  readonly title?: string | null | undefined;
  readonly value?: JsonValue | null | undefined;
}

const malformedClock = (message: string): Result<never> => ({ ok: false, error: { code: 'CLOCK_MALFORMED', message, path: '/clock' } });

function readClock({ epoch, base, vector }: ClockArgument): Result<EditClock> {
  const hasBase = base !== null && base !== undefined;
  const hasVector = vector !== null && vector !== undefined;
  if (hasBase === hasVector) {
    return malformedClock(`The clock must have either base or vector; this one has ${hasBase ? 'both' : 'neither'}.`);
  }
  if (hasBase) return { ok: true, value: { epoch, base } };
  const entries = new Map<ReplicaId, Counter>();
  for (const { replicaId, counter } of vector ?? []) {
    const replica = parseReplicaId(replicaId);
    if (!replica.ok) return replica;
    const parsed = parseCounter(counter);
    if (!parsed.ok) return parsed;
    if (entries.has(replica.value)) return malformedClock(`The vector names the replica ${replicaId} twice.`);
    entries.set(replica.value, parsed.value);
  }
  return { ok: true, value: { epoch, vector: entries } };
}

export function readStamp(replicaId: ReplicaId, patchId: PatchId, input: StampArgument): Result<Stamp> {
  const counter = parseCounter(input.counter);
  if (!counter.ok) return counter;
  const clock = readClock(input.clock);
  if (!clock.ok) return clock;
  return { ok: true, value: { patchId, replicaId, counter: counter.value, clock: clock.value } };
}

/** `create` as a document, `patch` as operations: the first refusal of what cannot be held. */
export function readAction(action: ActionArgument, limits: Limits): Result<EditAction> {
  if (action.create !== null && action.create !== undefined) return readCreate(action.create, limits);
  if (action.patch !== undefined) {
    const patch = parsePatch(action.patch, limits);
    return patch.ok ? { ok: true, value: { kind: 'PATCH', patch: patch.value } } : patch;
  }
  if (action.delete === true) return { ok: true, value: { kind: 'DELETE' } };
  if (action.restore === true) return { ok: true, value: { kind: 'RESTORE' } };
  return { ok: false, error: { code: 'INPUT_INVALID', message: 'The action must be create, patch, delete: true or restore: true.', path: '/action' } };
}

export function readCreate({ collection, title, value }: CreateArgument, limits: Limits): Result<EditAction> {
  const checked = checkValue(value === undefined ? {} : value, limits);
  if (!checked.ok) return checked;
  const names = { collection: collection ?? 'default', title: title ?? '' };
  for (const [name, text] of Object.entries(names)) {
    const checkedText = checkValue(text);
    if (!checkedText.ok) return { ok: false, error: { ...checkedText.error, path: `/create/${name}` } };
    if (text.length > 256 || (name === 'collection' && text === '')) {
      return {
        ok: false,
        error: { code: 'INPUT_INVALID', message: `${name} must be ${name === 'collection' ? '1' : '0'} to 256 characters long, got ${text.length}.`, path: `/create/${name}`, limit: 256, actual: text.length },
      };
    }
  }
  return { ok: true, value: { kind: 'CREATE', ...names, value: checked.value } };
}

/** An edit with its stamp. Throws only when the edit cannot even be named; everything else is kept as unreadable, in its place. */
export function readEdit(
  replicaId: ReplicaId,
  input: StampArgument & { readonly documentId: DocumentId; readonly action: ActionArgument; readonly conflicts?: readonly ConflictArgument[] | null | undefined },
  limits: Limits,
): Edit | UnreadableEdit {
  const patchId = parsePatchId(input.patchId);
  if (!patchId.ok) throw ConcordError.from(patchId.error);
  const stamp = readStamp(replicaId, patchId.value, input);
  if (!stamp.ok) return unreadable(input.documentId, null, stamp.error);
  const action = readAction(input.action, limits);
  if (!action.ok) return unreadable(input.documentId, stamp.value, action.error);
  if (!input.conflicts?.length) return { documentId: input.documentId, stamp: stamp.value, action: action.value };
  const conflicts = readConflicts(input.conflicts, limits);
  if (!conflicts.ok) return unreadable(input.documentId, stamp.value, conflicts.error);
  return { documentId: input.documentId, stamp: stamp.value, action: action.value, conflicts: conflicts.value };
}

function readConflicts(input: readonly ConflictArgument[], limits: Limits): Result<readonly ReportedConflict[]> {
  if (input.length > mostReportedConflicts) {
    const message = `The edit reports ${input.length} conflicts; at most ${mostReportedConflicts} are recorded with one edit. Leave some out.`;
    return { ok: false, error: { code: 'LIMIT_EXCEEDED', message, path: '/conflicts', limit: mostReportedConflicts, actual: input.length } };
  }
  const conflicts: ReportedConflict[] = [];
  for (const [index, { revision, conflict }] of input.entries()) {
    const parsed = parseConflict(conflict, limits);
    if (!parsed.ok) return { ok: false, error: { ...parsed.error, path: `/conflicts/${index}/conflict${parsed.error.path ?? ''}` } };
    conflicts.push({ againstRevision: revision, conflict: parsed.value });
  }
  return { ok: true, value: conflicts };
}

const unreadable = (documentId: DocumentId, stamp: Stamp | null, failure: Failure): UnreadableEdit => ({ documentId, stamp, failure });
