import type { InvitationRecord, IssuedInvitation, MemberRecord, MembershipSource } from './administration-port.js';
import { builder } from './builder.js';
import { connectionOf, pageSize } from './connection.js';
import { principalIdOf, viewerOf, workspaceArgument, workspaceIdOf, workspaceOf } from './request.js';
import { RoleEnum, WorkspaceRef } from './workspace.js';

const SourceEnum = builder.enumType('MembershipSource', {
  description: 'How a principal came into a workspace.',
  values: {
    OWN: { description: 'It made the workspace.' },
    GRANT: { description: 'The workspace made the principal, with createToken and a grant, or an operator did.' },
    INVITATION: { description: 'It accepted an invitation.' },
    CLAIM: { description: 'Its JWT says so.' },
  } as const satisfies Record<MembershipSource, { description: string }>,
});

const MemberRef = builder.objectRef<MemberRecord>('Member').implement({
  description: 'A member of a workspace.',
  fields: (t) => ({
    principalId: t.id({ description: 'Id of the principal; it appears as `author` of changes.', resolve: ({ principalId }) => principalId }),
    name: t.exposeString('name', { description: 'For people.' }),
    role: t.field({ type: RoleEnum, description: 'Its role.', resolve: ({ role }) => role }),
    source: t.field({ type: SourceEnum, description: 'How it came in.', resolve: ({ source }) => source }),
    since: t.field({ type: 'DateTime', description: 'When it came in.', resolve: ({ since }) => since }),
  }),
});

const InvitationRef = builder.objectRef<InvitationRecord>('Invitation').implement({
  description: 'An invitation into a workspace. It can be accepted once.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Give it to withdrawInvitation.' }),
    role: t.field({ type: RoleEnum, description: 'The role of whoever accepts it.', resolve: ({ role }) => role }),
    label: t.exposeString('label', { description: 'For people: whom it is for, say.' }),
    createdBy: t.id({ description: 'The owner who made it.', resolve: ({ createdBy }) => createdBy }),
    createdAt: t.field({ type: 'DateTime', description: 'When it was made.', resolve: ({ createdAt }) => createdAt }),
    expiresAt: t.field({ type: 'DateTime', description: 'It cannot be accepted from then on.', resolve: ({ expiresAt }) => expiresAt }),
    acceptedAt: t.field({ type: 'DateTime', nullable: true, description: 'When it was accepted. Null: it was not.', resolve: ({ acceptedAt }) => acceptedAt }),
    acceptedBy: t.id({ nullable: true, description: 'Who accepted it.', resolve: ({ acceptedBy }) => acceptedBy }),
    withdrawnAt: t.field({ type: 'DateTime', nullable: true, description: 'When an owner withdrew it. Null: none did.', resolve: ({ withdrawnAt }) => withdrawnAt }),
  }),
});

const IssuedInvitationRef = builder.objectRef<IssuedInvitation>('IssuedInvitation').implement({
  description: 'A new invitation. Its token is shown this once: only a hash of it is kept.',
  fields: (t) => ({
    invitation: t.field({ type: InvitationRef, description: 'The invitation.', resolve: ({ invitation }) => invitation }),
    token: t.exposeString('token', { description: 'Send it to whom you invite, in a link of your app, say; acceptInvitation takes it. It is good in a URL as it is.' }),
  }),
});

const MemberConnection = connectionOf('Member', MemberRef, 'members');
const InvitationConnection = connectionOf('Invitation', InvitationRef, 'invitations');

const firstDescription = 'How many rows, 1 to 1000. Default: 100.';
const afterDescription = 'Cursor of the row to go on behind; from the start when left out.';

builder.queryFields((t) => ({
  members: t.field({
    type: MemberConnection,
    description: 'Who is in a workspace; every member may ask. The oldest first.',
    args: {
      workspaceId: t.arg.id({ required: false, description: workspaceArgument }),
      first: t.arg.int({ required: false, description: firstDescription }),
      after: t.arg.string({ required: false, description: afterDescription }),
    },
    resolve: (_root, { workspaceId, first, after }, context) => {
      const viewer = viewerOf(context);
      return context.ports.administration.members(viewer, workspaceOf(viewer, workspaceId), { first: pageSize(first, 100, 1000), after: after ?? null });
    },
  }),
  invitations: t.field({
    type: InvitationConnection,
    description: 'The invitations into a workspace; only an owner may ask. Newest first.',
    args: {
      workspaceId: t.arg.id({ required: false, description: workspaceArgument }),
      includeEnded: t.arg.boolean({ required: false, description: 'Accepted, withdrawn and expired ones too. Default: false.' }),
      first: t.arg.int({ required: false, description: firstDescription }),
      after: t.arg.string({ required: false, description: afterDescription }),
    },
    resolve: (_root, { workspaceId, includeEnded, first, after }, context) => {
      const viewer = viewerOf(context);
      return context.ports.administration.invitations(viewer, workspaceOf(viewer, workspaceId), { includeEnded: includeEnded ?? false, first: pageSize(first, 100, 1000), after: after ?? null });
    },
  }),
}));

builder.mutationFields((t) => ({
  invite: t.field({
    type: IssuedInvitationRef,
    description: 'Makes an invitation into a workspace, which one principal accepts with acceptInvitation. Only an owner may.',
    args: {
      role: t.arg({ type: RoleEnum, required: true, description: 'The role of whoever accepts it.' }),
      label: t.arg.string({ required: false, description: 'For people: whom it is for, say. Default: empty.' }),
      expiresAt: t.arg({ type: 'DateTime', required: false, description: 'At most 90 days from now. Left out: in a week.' }),
      workspaceId: t.arg.id({ required: false, description: workspaceArgument }),
    },
    resolve: (_root, { role, label, expiresAt, workspaceId }, context) => {
      const viewer = viewerOf(context);
      return context.ports.administration.invite(viewer, workspaceOf(viewer, workspaceId), { role, label: label ?? '', expiresAt: expiresAt ?? null });
    },
  }),
  withdrawInvitation: t.boolean({
    description: 'Takes an invitation back. Only an owner may. False: there is no such open invitation.',
    args: {
      id: t.arg.id({ required: true, description: 'Id of the invitation.' }),
      workspaceId: t.arg.id({ required: false, description: workspaceArgument }),
    },
    resolve: (_root, { id, workspaceId }, context) => {
      const viewer = viewerOf(context);
      return context.ports.administration.withdrawInvitation(viewer, workspaceOf(viewer, workspaceId), id);
    },
  }),
  acceptInvitation: t.field({
    type: WorkspaceRef,
    description: 'Makes the caller a member of the workspace that the invitation is for. It does not become its default workspace by that.',
    args: { token: t.arg.string({ required: true, description: 'As `invite` gave it.' }) },
    resolve: (_root, { token }, context) => context.ports.administration.acceptInvitation(viewerOf(context), token),
  }),
  removeMember: t.boolean({
    description: 'Takes a principal out of a workspace; its open streams end and its replicas purge what they hold. Only an owner may. Always true; a refusal is an error.',
    args: {
      principalId: t.arg.id({ required: true, description: 'Whom.' }),
      workspaceId: t.arg.id({ required: false, description: workspaceArgument }),
    },
    resolve: async (_root, { principalId, workspaceId }, context) => {
      const viewer = viewerOf(context);
      await context.ports.administration.removeMember(viewer, workspaceOf(viewer, workspaceId), principalIdOf(principalId));
      return true;
    },
  }),
  leaveWorkspace: t.boolean({
    description: 'Takes the caller out of a workspace. The last owner cannot leave. Always true; a refusal is an error.',
    args: { workspaceId: t.arg.id({ required: true, description: 'The workspace; it has to be named.' }) },
    resolve: async (_root, { workspaceId }, context) => {
      await context.ports.administration.leaveWorkspace(viewerOf(context), workspaceIdOf(workspaceId));
      return true;
    },
  }),
  setDefaultWorkspace: t.boolean({
    description: 'Chooses the workspace that operations of the caller mean which name none. Always true; a refusal is an error.',
    args: { workspaceId: t.arg.id({ required: false, description: 'Null or left out: the oldest that the caller did not come into by an invitation.' }) },
    resolve: async (_root, { workspaceId }, context) => {
      await context.ports.administration.setDefaultWorkspace(viewerOf(context), workspaceId == null ? null : workspaceIdOf(workspaceId));
      return true;
    },
  }),
}));
