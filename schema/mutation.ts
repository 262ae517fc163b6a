import { ConcordError, parsePatchId, parseReplicaId, type PatchId, type Revision } from '@concord/core';
import { builder } from './builder.js';
import type { Committed, Edit, EditAction, Refused, UnreadableEdit, Verdict } from './commit-port.js';
import type { Context } from './context.js';
import type { DocumentRecord } from './read-port.js';
import type { Viewer } from './viewer.js';
import type { Result, DocumentId, WorkspaceId } from '@concord/core';
import { DocumentRef } from './document.js';
import { EditInput, StampInput, readAction, readCreate, readEdit, readStamp, type StampArgument } from './edit.js';
import { documentIdOf, viewerOf, workspaceArgument, workspaceOf } from './request.js';
import { CommittedRef, RefusedRef, VerdictUnion } from './verdict.js';

const PushResult = builder.objectRef<{ readonly verdicts: readonly Verdict[] }>('PushResult').implement({
  description: 'The outcome of a push.',
  fields: (t) => ({
    verdicts: t.field({ type: [VerdictUnion], description: 'One for each edit, in the order sent.', resolve: ({ verdicts }) => [...verdicts] }),
  }),
});

interface Edited {
  readonly type: 'Edited';
  readonly document: DocumentRecord;
  readonly commit: Committed;
}

const EditedRef = builder.objectRef<Edited>('Edited').implement({
  description: 'The edit is committed.',
  fields: (t) => ({
    document: t.field({ type: DocumentRef, description: 'The document after the edit.', resolve: ({ document }) => document }),
    commit: t.field({ type: CommittedRef, description: 'Where the edit stands in the log.', resolve: ({ commit }) => commit }),
  }),
});

const EditResult = builder.unionType('EditResult', {
  description: 'What became of an edit made by a person.',
  types: [EditedRef, RefusedRef],
  resolveType: (result: Edited | Refused) => result.type,
});

/** Commits one edit and reads the document back. A refusal is a value. */
async function editOne(
  context: Context,
  viewer: Viewer,
  workspaceId: WorkspaceId,
  documentId: DocumentId,
  action: Result<EditAction>,
  options: { readonly ifRevision?: Revision | null | undefined; readonly stamp?: (StampArgument & { readonly replicaId: string }) | null | undefined } = {},
): Promise<Edited | Refused> {
  const stamp = options.stamp ? stampOf(options.stamp) : null;
  const edit = action.ok
    ? ({
        documentId,
        stamp,
        action: action.value,
        ...(options.ifRevision === null || options.ifRevision === undefined ? {} : { ifRevision: options.ifRevision }),
      } satisfies Edit)
    : { documentId, stamp, failure: action.error };
  const [verdict] = await context.ports.commit.push(viewer, workspaceId, [edit]);
  if (verdict === undefined) throw new Error('The commit returned no verdict for the one edit it was given.');
  if (verdict.type === 'Refused') return verdict;
  const document = await context.ports.read.document(viewer, workspaceId, documentId);
  if (document === null) throw new Error(`The document ${documentId} is missing right after its commit.`);
  return { type: 'Edited', document, commit: verdict };
}

function stampOf(input: StampArgument & { readonly replicaId: string }) {
  const replicaId = parseReplicaId(input.replicaId);
  if (!replicaId.ok) throw ConcordError.from(replicaId.error);
  const patchId = parsePatchId(input.patchId);
  if (!patchId.ok) throw ConcordError.from(patchId.error);
  const stamp = readStamp(replicaId.value, patchId.value, input);
  if (!stamp.ok) throw ConcordError.from(stamp.error);
  return stamp.value;
}

function assertPrincipal(viewer: Viewer, principalId: string | null | undefined): void {
  if (principalId == null || principalId === viewer.principalId) return;
  throw new ConcordError('OTHER_PRINCIPAL', `The edits were made as ${principalId}, and the token is of ${viewer.principalId}: nothing was committed. Push with a token of ${principalId}, or hand the edits over first.`, { path: '/principalId' });
}

const idDescription = 'Id of the document.';
const stampDescription = 'For callers that keep clocks. Without it the edit is applied to the newest revision.';

builder.mutationFields((t) => ({
  push: t.field({
    type: PushResult,
    description:
      'The protocol: a batch of edits by one replica, each with its clock. Edits of one document are committed in the order sent; a refused edit stops only those that depend on it.',
    args: {
      replicaId: t.arg.id({ required: true, description: 'The replica: 32 lowercase hexadecimal digits, random, one for each local cache.' }),
      edits: t.arg({ type: [EditInput], required: true, description: 'At most 500 edits and 4 MiB.' }),
      workspaceId: t.arg.id({ required: false, description: workspaceArgument }),
      after: t.arg({ type: 'Cursor', required: false, description: 'The newest cursor the replica has stored. Of another history: the push is refused with OTHER_HISTORY, before any edit is looked at.' }),
      principalId: t.arg.id({ required: false, description: 'Under whose name the edits were made. If the token is of somebody else, the push is refused with OTHER_PRINCIPAL.' }),
    },
    resolve: async (_root, args, context) => {
      const viewer = viewerOf(context);
      assertPrincipal(viewer, args.principalId);
      const workspaceId = workspaceOf(viewer, args.workspaceId);
      const replicaId = parseReplicaId(args.replicaId);
      if (!replicaId.ok) throw ConcordError.from(replicaId.error);
      if (args.after != null) await context.ports.feed.assertHistory(viewer, workspaceId, args.after);
      const pause = context.paced();
      const edits: (Edit | UnreadableEdit)[] = [];
      for (const edit of args.edits) {
        const waits = pause();
        if (waits !== undefined) await waits;
        edits.push(readEdit(replicaId.value, { ...edit, documentId: documentIdOf(edit.documentId) }, context.limits));
      }
      const verdicts = await context.ports.commit.push(viewer, workspaceId, edits);
      // An edit whose stamp could not be read is known by the id it was sent under.
      return { verdicts: verdicts.map((verdict, index) => (verdict.patchId === null ? { ...verdict, patchId: args.edits[index]?.patchId as PatchId } : verdict)) };
    },
  }),
  createDocument: t.field({
    type: EditResult,
    description: 'Creates a document.',
    args: {
      id: t.arg.id({ required: false, description: 'Left out: the server makes one.' }),
      collection: t.arg.string({ required: false, description: 'Groups documents. Default: "default".' }),
      title: t.arg.string({ required: false, description: 'For people. Default: empty.' }),
      value: t.arg({ type: 'JSON', required: false, description: 'The document. Left out: an empty object; `null` is the JSON value null.' }),
      workspaceId: t.arg.id({ required: false, description: workspaceArgument }),
    },
    resolve: (_root, args, context) => {
      const viewer = viewerOf(context);
      const id = documentIdOf(args.id ?? context.newId());
      return editOne(context, viewer, workspaceOf(viewer, args.workspaceId), id, readCreate(args, context.limits));
    },
  }),
  patchDocument: t.field({
    type: EditResult,
    description: 'Applies an RFC 6902 patch (with `inc`, `str_ins`, `str_del`) to a document.',
    args: {
      id: t.arg.id({ required: true, description: idDescription }),
      patch: t.arg({ type: 'JSON', required: true, description: 'For example `[{op: "replace", path: "/done", value: true}]`. An empty list changes nothing, but is committed: the document gets a revision more.' }),
      ifRevision: t.arg({ type: 'Revision', required: false, description: 'Refuse with TEST_FAILED unless the document has this revision. Not together with `stamp`.' }),
      stamp: t.arg({ type: StampInput, required: false, description: stampDescription }),
      workspaceId: t.arg.id({ required: false, description: workspaceArgument }),
    },
    resolve: (_root, args, context) => {
      const viewer = viewerOf(context);
      return editOne(context, viewer, workspaceOf(viewer, args.workspaceId), documentIdOf(args.id), readAction({ patch: args.patch }, context.limits), args);
    },
  }),
  deleteDocument: t.field({
    type: EditResult,
    description: 'Makes a document a tombstone. Its last value is kept and can be restored.',
    args: {
      id: t.arg.id({ required: true, description: idDescription }),
      stamp: t.arg({ type: StampInput, required: false, description: stampDescription }),
      workspaceId: t.arg.id({ required: false, description: workspaceArgument }),
    },
    resolve: (_root, args, context) => {
      const viewer = viewerOf(context);
      return editOne(context, viewer, workspaceOf(viewer, args.workspaceId), documentIdOf(args.id), { ok: true, value: { kind: 'DELETE' } }, args);
    },
  }),
  restoreDocument: t.field({
    type: EditResult,
    description: 'Brings a tombstone back with its last value.',
    args: {
      id: t.arg.id({ required: true, description: idDescription }),
      stamp: t.arg({ type: StampInput, required: false, description: stampDescription }),
      workspaceId: t.arg.id({ required: false, description: workspaceArgument }),
    },
    resolve: (_root, args, context) => {
      const viewer = viewerOf(context);
      return editOne(context, viewer, workspaceOf(viewer, args.workspaceId), documentIdOf(args.id), { ok: true, value: { kind: 'RESTORE' } }, args);
    },
  }),
}));
