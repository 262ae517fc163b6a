import { ConcordError, parsePrincipalId } from '@concord/core';
import { builder } from './builder.js';
import type { IssuedToken } from './administration-port.js';
import { viewerOf, workspaceArgument, workspaceOf } from './request.js';
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

const GrantInput = builder.inputType('GrantInput', {
  description: 'A new principal with a role, made by an owner of the workspace.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'Name of the new principal.' }),
    role: t.field({ type: RoleEnum, required: true, description: 'Its role.' }),
    workspaceId: t.id({ required: false, description: workspaceArgument }),
  }),
});

builder.mutationFields((t) => ({
  createWorkspace: t.field({
    type: WorkspaceRef,
    description: 'Makes a workspace; the caller becomes its owner.',
    args: { name: t.arg.string({ required: true, description: 'For people, 1 to 256 characters.' }) },
    resolve: (_root, { name }, context) => context.ports.administration.createWorkspace(viewerOf(context), name),
  }),
  createToken: t.field({
    type: IssuedTokenRef,
    description: 'Makes a token for the caller, or, with `grant`, for a new principal in a workspace the caller owns.',
    args: {
      label: t.arg.string({ required: false, description: 'For people. Default: empty.' }),
      expiresAt: t.arg({ type: 'DateTime', required: false, description: 'Left out: never.' }),
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
    description: 'Revokes a token of the caller or of a member of a workspace the caller owns. Takes effect at once; open streams end. False: there was no such token.',
    args: { id: t.arg.id({ required: true, description: 'Id of the token: the part before the dot.' }) },
    resolve: (_root, { id }, context) => context.ports.administration.revokeToken(viewerOf(context), id),
  }),
  setRole: t.boolean({
    description: 'Gives a principal a role in a workspace, or takes it away. Only an owner may. Always true; a refusal is an error.',
    args: {
      principalId: t.arg.id({ required: true, description: 'Whose role.' }),
      role: t.arg({ type: RoleEnum, required: false, description: 'Null or left out: no role any more; its open streams end.' }),
      workspaceId: t.arg.id({ required: false, description: workspaceArgument }),
    },
    resolve: async (_root, args, context) => {
      const viewer = viewerOf(context);
      const principalId = parsePrincipalId(args.principalId);
      if (!principalId.ok) throw ConcordError.from(principalId.error);
      await context.ports.administration.setRole(viewer, workspaceOf(viewer, args.workspaceId), principalId.value, args.role ?? null);
      return true;
    },
  }),
}));
