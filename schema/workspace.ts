import { builder } from './builder.js';
import type { Membership, Role, Viewer } from './viewer.js';
import { viewerOf } from './request.js';

export const RoleEnum = builder.enumType('Role', {
  description: 'What a principal may do in a workspace.',
  values: {
    OWNER: { description: 'Everything, members and tokens included.' },
    EDITOR: { description: 'Read and write documents.' },
    VIEWER: { description: 'Read documents.' },
  } as const satisfies Record<Role, { description: string }>,
});

export const WorkspaceRef = builder.objectRef<Membership>('Workspace').implement({
  description: 'A workspace the caller is a member of: the boundary of data, rights, limits and order.',
  fields: (t) => ({
    id: t.id({ description: 'Give it as `workspaceId`.', resolve: ({ workspaceId }) => workspaceId }),
    name: t.exposeString('name', { description: 'For people.' }),
    role: t.field({ type: RoleEnum, description: 'The role of the caller.', resolve: ({ role }) => role }),
    isDefault: t.exposeBoolean('isDefault', { description: 'True: what operations without a `workspaceId` mean. The one you chose, else the oldest that you did not come into by an invitation.' }),
    history: t.exposeID('history', { description: 'Made with the workspace. Another one under the same `id` means another server or database: what you hold is not of it.' }),
    head: t.field({
      type: 'Cursor',
      description: 'Cursor of the newest change.',
      resolve: ({ workspaceId }, _args, context) => context.ports.read.head(viewerOf(context), workspaceId),
    }),
  }),
});

const ViewerRef = builder.objectRef<Viewer>('Viewer').implement({
  description: 'Who is calling, by the token.',
  fields: (t) => ({
    id: t.id({ description: 'Id of the principal; it appears as `author` of changes.', resolve: ({ principalId }) => principalId }),
    name: t.exposeString('name', { description: 'For people.' }),
    workspaces: t.field({
      type: [WorkspaceRef],
      description: 'The workspaces of the caller, the oldest membership first.',
      resolve: ({ memberships }) => [...memberships.values()],
    }),
  }),
});

builder.queryFields((t) => ({
  viewer: t.field({
    type: ViewerRef,
    description: 'Who you are. A good first query.',
    resolve: (_root, _args, context) => viewerOf(context),
  }),
  workspaces: t.field({
    type: [WorkspaceRef],
    description: 'The workspaces you are a member of, the oldest membership first.',
    resolve: (_root, _args, context) => [...viewerOf(context).memberships.values()],
  }),
}));
