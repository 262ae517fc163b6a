import { builder } from './builder.js';
import type { IssuedToken, TokenRecord } from './administration-port.js';
import { connectionOf, pageSize } from './connection.js';
import { principalIdOf, viewerOf, workspaceArgument, workspaceIdOf, workspaceOf } from './request.js';
import { RoleEnum, WorkspaceRef } from './workspace.js';

const IssuedTokenRef = builder.objectRef<IssuedToken>('IssuedToken').implement({
  description: 'A new token. The secret is shown this once: only its Argon2id hash is kept.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Give it to revokeToken.' }),
    token: t.exposeString('token', { description: 'The bearer token, `<id>.<secret>`.' }),
    principalId: t.id({ description: 'Whom it stands for.', resolve: ({ principalId }) => principalId }),
    expiresAt: t.field({ type: 'DateTime', nullable: true, description: 'Null: never.', resolve: ({ expiresAt }) => expiresAt }),
  }),
});

const TokenRef = builder.objectRef<TokenRecord>('Token').implement({
  description: 'A token as it is listed. Its secret cannot be shown.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Give it to revokeToken.' }),
    principalId: t.id({ description: 'Whom it stands for.', resolve: ({ principalId }) => principalId }),
    principalName: t.exposeString('principalName', { description: 'The name of the principal.' }),
    label: t.exposeString('label', { nullable: true, description: 'For people. Null: of a member that the workspace did not make; it is not told.' }),
    parentId: t.exposeID('parentId', { nullable: true, description: 'The token that it was made with, and ends with. Null: made by an operator or at the first start.' }),
    workspaceId: t.id({ nullable: true, description: 'The workspace that granted it, whose owners may revoke it. Null: none did.', resolve: ({ workspaceId }) => workspaceId }),
    createdAt: t.field({ type: 'DateTime', description: 'When it was made.', resolve: ({ createdAt }) => createdAt }),
    expiresAt: t.field({ type: 'DateTime', nullable: true, description: 'When it ends. Null: never.', resolve: ({ expiresAt }) => expiresAt }),
    revokedAt: t.field({ type: 'DateTime', nullable: true, description: 'When it was revoked. Null: it was not.', resolve: ({ revokedAt }) => revokedAt }),
    lastUsedAt: t.field({ type: 'DateTime', nullable: true, description: 'When it was used last, give or take a minute. Null: never.', resolve: ({ lastUsedAt }) => lastUsedAt }),
    isCurrent: t.boolean({ description: 'True: this operation was sent with it.', resolve: ({ id }, _args, context) => context.viewer?.credential.tokenId === id }),
  }),
});

const TokenConnection = connectionOf('Token', TokenRef, 'tokens');

const GrantInput = builder.inputType('GrantInput', {
  description: 'A new principal with a role, made by an owner of the workspace.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'Name of the new principal.' }),
    role: t.field({ type: RoleEnum, required: true, description: 'Its role.' }),
    workspaceId: t.id({ required: false, description: workspaceArgument }),
  }),
});

builder.queryFields((t) => ({
  tokens: t.field({
    type: TokenConnection,
    description: 'Your own tokens, or, with `workspaceId`, all tokens of its members and those it has granted; only an owner may ask for these. Newest first.',
    args: {
      workspaceId: t.arg.id({ required: false, description: 'Left out: your own tokens, of whatever workspace.' }),
      includeEnded: t.arg.boolean({ required: false, description: 'Expired and revoked ones too. Default: false.' }),
      first: t.arg.int({ required: false, description: 'How many rows, 1 to 1000. Default: 100.' }),
      after: t.arg.string({ required: false, description: 'Cursor of the row to go on behind; from the start when left out.' }),
    },
    resolve: (_root, { workspaceId, includeEnded, first, after }, context) =>
      context.ports.administration.tokens(viewerOf(context), {
        workspaceId: workspaceId == null ? null : workspaceIdOf(workspaceId),
        includeEnded: includeEnded ?? false,
        first: pageSize(first, 100, 1000),
        after: after ?? null,
      }),
  }),
}));

builder.mutationFields((t) => ({
  createWorkspace: t.field({
    type: WorkspaceRef,
    description: 'Makes a workspace; the caller becomes its owner.',
    args: { name: t.arg.string({ required: true, description: 'For people, 1 to 256 characters.' }) },
    resolve: (_root, { name }, context) => context.ports.administration.createWorkspace(viewerOf(context), name),
  }),
  createToken: t.field({
    type: IssuedTokenRef,
    description:
      'Makes a token for the caller, or, with `grant`, for a new principal in a workspace the caller owns. It ends no later than the token that it is made with, and is revoked with it.',
    args: {
      label: t.arg.string({ required: false, description: 'For people. Default: empty.' }),
      expiresAt: t.arg({ type: 'DateTime', required: false, description: 'Left out: with the token that it is made with. Not later than that.' }),
      grant: t.arg({ type: GrantInput, required: false, description: 'Make a new principal with a role.' }),
    },
    resolve: (_root, { label, expiresAt, grant }, context) => {
      const viewer = viewerOf(context);
      return context.ports.administration.createToken(viewer, {
        label: label ?? '',
        expiresAt: expiresAt ?? null,
        grant: grant ? { name: grant.name, role: grant.role, workspaceId: workspaceOf(viewer, grant.workspaceId) } : null,
      });
    },
  }),
  revokeToken: t.boolean({
    description:
      'Revokes a token of the caller, or one that a workspace of the caller has granted, with every token that was made with it. Takes effect at once; open streams end. False: there is no such token that you may revoke.',
    args: { id: t.arg.id({ required: true, description: 'Id of the token: the part before the dot.' }) },
    resolve: (_root, { id }, context) => context.ports.administration.revokeToken(viewerOf(context), id),
  }),
  setRole: t.boolean({
    description: 'Gives a member another role, or takes it away; a principal that the workspace made may be taken in again. Only an owner may. Others are invited: `invite`. Always true; a refusal is an error.',
    args: {
      principalId: t.arg.id({ required: true, description: 'Whose role.' }),
      role: t.arg({ type: RoleEnum, required: false, description: 'Null or left out: no role any more; its open streams end.' }),
      workspaceId: t.arg.id({ required: false, description: workspaceArgument }),
    },
    resolve: async (_root, args, context) => {
      const viewer = viewerOf(context);
      await context.ports.administration.setRole(viewer, workspaceOf(viewer, args.workspaceId), principalIdOf(args.principalId), args.role ?? null);
      return true;
    },
  }),
}));
