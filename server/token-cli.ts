import type { Logger } from 'pino';
import { ConcordError, parsePrincipalId, parseWorkspaceId } from '@concord/core';
import { parseArguments, UsageError, wholeNumber } from './arguments.js';
import { auditRow } from './audit.js';
import { tokensChannel } from './auth/authenticate.js';
import { newCredential } from './auth/credentials.js';
import { revokeTree } from './auth/tokens.js';
import { runCommandLine } from './command-line.js';
import type { Database } from './database.js';
import { redisPrefix } from './notify-redis.js';
import { openRedis, reasonOf } from './redis.js';

type Prisma = Database['prisma'];

const usage = `Usage:
  npm run token -- create --name NAME --role OWNER|EDITOR|VIEWER [--workspace ID] [--label TEXT] [--days N]
      Makes a principal with a role in a workspace (default: main) and prints its token, this once.
  npm run token -- create --principal ID [--label TEXT] [--days N]
      Prints another token for a principal that exists, with the roles it has. So a token is replaced: create, then revoke the old one.
  npm run token -- list [--principal ID] [--workspace ID]
      All tokens, or those of a principal, or those that give access to a workspace: id, state, last use, principal, roles, label.
      Secrets are not kept and cannot be shown.
  npm run token -- revoke ID [--keep-derived]
      Ends a token at once, on running servers too, and all tokens that were made with it, or with --keep-derived only itself.

Works on the data of a server that has started before, whether it runs now or not: in DATABASE_URL, or of the own PostgreSQL in
CONCORD_DATA. Servers with REDIS_URL are told of a revocation by Redis: set it here too, else their open connections end within a
minute.
Exit status: 0 done, 1 not done, 2 wrong arguments.
`;

type Command =
  | { readonly kind: 'create'; readonly name: string; readonly role: 'OWNER' | 'EDITOR' | 'VIEWER'; readonly workspaceId: string; readonly label: string; readonly expiresAt: Date | null }
  | { readonly kind: 'create-another'; readonly principalId: string; readonly label: string; readonly expiresAt: Date | null }
  | { readonly kind: 'list'; readonly principalId: string | null; readonly workspaceId: string | null }
  | { readonly kind: 'revoke'; readonly id: string; readonly keepDerived: boolean };

const optionsOf: Readonly<Record<string, readonly string[]>> = {
  create: ['name', 'role', 'workspace', 'principal', 'label', 'days'],
  list: ['principal', 'workspace'],
  revoke: ['keep-derived'],
};

/** @throws UsageError that says what is wrong. */
function readCommand(args: readonly string[], now: Date): Command {
  const { values, positionals } = parseArguments({
    args,
    allowPositionals: true,
    options: {
      name: { type: 'string' },
      role: { type: 'string' },
      workspace: { type: 'string' },
      principal: { type: 'string' },
      label: { type: 'string' },
      days: { type: 'string' },
      'keep-derived': { type: 'boolean' },
    },
  });
  const [kind, id, ...rest] = positionals;
  if (rest.length > 0 || (kind !== 'revoke' && id !== undefined)) throw new UsageError(`Unknown argument: ${kind === 'revoke' ? rest.join(' ') : positionals.slice(1).join(' ')}`);
  const odd = Object.keys(values).find((name) => !optionsOf[kind ?? '']?.includes(name));
  if (kind !== undefined && kind in optionsOf && odd !== undefined) throw new UsageError(`${kind} takes no --${odd}.`);
  switch (kind) {
    case 'list':
      return { kind, principalId: principalOption(values.principal), workspaceId: values.workspace === undefined ? null : workspaceOption(values.workspace) };
    case 'revoke':
      if (id === undefined) throw new UsageError('revoke needs the id of a token: the part before the dot.');
      return { kind, id: id.split('.')[0] ?? id, keepDerived: values['keep-derived'] === true };
    case 'create': {
      const { name, role, workspace, label = '', days } = values;
      const expiresAt = days === undefined ? null : new Date(now.getTime() + wholeNumber('--days', days, 1, 99_999) * 86_400_000);
      const principalId = principalOption(values.principal);
      if (principalId !== null) {
        if (name !== undefined || role !== undefined || workspace !== undefined) throw new UsageError('create --principal takes no --name, --role or --workspace: the principal has its name and its roles.');
        return { kind: 'create-another', principalId, label, expiresAt };
      }
      if (name === undefined || name.trim() === '' || name.length > 256) throw new UsageError('create needs --name with 1 to 256 characters, or --principal.');
      if (role !== 'OWNER' && role !== 'EDITOR' && role !== 'VIEWER') throw new UsageError(`create needs --role OWNER, EDITOR or VIEWER${role === undefined ? '' : `, not ${role}`}.`);
      return { kind, name, role, workspaceId: workspaceOption(workspace ?? 'main'), label, expiresAt };
    }
    default:
      throw new UsageError(kind === undefined ? 'Say what to do: create, list or revoke.' : `Unknown argument: ${kind}. Say create, list or revoke.`);
  }
}

function principalOption(given: string | undefined): string | null {
  if (given === undefined) return null;
  const parsed = parsePrincipalId(given);
  if (!parsed.ok) throw new UsageError(`--principal: ${parsed.error.message}`);
  return parsed.value;
}

function workspaceOption(given: string): string {
  const parsed = parseWorkspaceId(given);
  if (!parsed.ok) throw new UsageError(`--workspace: ${parsed.error.message}`);
  return parsed.value;
}

/** Tells the running servers of revoked tokens. Null, or why that failed. */
type Tell = (tokenIds: readonly string[]) => Promise<string | null>;

async function run(command: Command, { prisma }: Database, tell: Tell): Promise<string> {
  switch (command.kind) {
    case 'create':
      return createPrincipal(command, prisma);
    case 'create-another':
      return createAnother(command, prisma);
    case 'list':
      return list(command, prisma, new Date());
    case 'revoke':
      return revoke(command, prisma, tell);
  }
}

async function createPrincipal({ name, role, workspaceId, label, expiresAt }: Extract<Command, { kind: 'create' }>, prisma: Prisma): Promise<string> {
  if ((await prisma.workspace.findUnique({ where: { id: workspaceId } })) === null) {
    throw new ConcordError('WORKSPACE_NOT_FOUND', `There is no workspace ${workspaceId}. The first one, main, is made at the first start of the server.`);
  }
  const { id, token, hash } = await newCredential();
  const principalId = (await newCredential()).id;
  const act = { workspaceId, principalId: null, outcome: 'OK' } as const;
  await prisma.$transaction([
    prisma.principal.create({ data: { id: principalId, name, workspaceId } }),
    prisma.membership.create({ data: { workspaceId, principalId, role } }),
    prisma.token.create({ data: { id, principalId, label, hash, expiresAt, workspaceId } }),
    prisma.auditEntry.create({ data: auditRow({ ...act, action: 'CREATE_TOKEN', detail: { tokenId: id, for: principalId, name, role, by: 'command line' } }, new Date()) }),
  ]);
  return `${token}\n`;
}

async function createAnother({ principalId, label, expiresAt }: Extract<Command, { kind: 'create-another' }>, prisma: Prisma): Promise<string> {
  const principal = await prisma.principal.findUnique({ where: { id: principalId } });
  if (principal === null) throw new ConcordError('INPUT_INVALID', `There is no principal ${principalId}; "npm run token -- list" shows all that have a token. Nothing was made.`);
  const { id, token, hash } = await newCredential();
  const { workspaceId } = principal;
  await prisma.$transaction([
    prisma.token.create({ data: { id, principalId, label, hash, expiresAt, workspaceId } }),
    prisma.auditEntry.create({
      data: auditRow({ workspaceId, principalId: null, action: 'CREATE_TOKEN', outcome: 'OK', detail: { tokenId: id, for: principalId, label, by: 'command line' } }, new Date()),
    }),
  ]);
  return `${token}\n`;
}

async function list({ principalId, workspaceId }: Extract<Command, { kind: 'list' }>, prisma: Prisma, now: Date): Promise<string> {
  const tokens = await prisma.token.findMany({
    where: {
      ...(principalId === null ? {} : { principalId }),
      ...(workspaceId === null ? {} : { OR: [{ workspaceId }, { principal: { memberships: { some: { workspaceId } } } }] }),
    },
    include: { principal: { include: { memberships: true } } },
    orderBy: { createdAt: 'asc' },
  });
  if (tokens.length === 0) return principalId === null && workspaceId === null ? 'There are no tokens. The first start of the server makes one.\n' : 'There are no such tokens.\n';
  const minute = (at: Date): string => at.toISOString().slice(0, 16).replace('T', ' ');
  return tokens
    .map(({ id, revokedAt, expiresAt, lastUsedAt, label, parentId, principal }) => {
      const state = revokedAt !== null ? 'revoked' : expiresAt === null ? 'valid' : expiresAt > now ? `until ${expiresAt.toISOString().slice(0, 10)}` : 'expired';
      const used = lastUsedAt === null ? 'never used' : `used ${minute(lastUsedAt)}`;
      const roles = principal.memberships.map((membership) => `${membership.role} of ${membership.workspaceId}`).join(', ');
      const made = parentId === null ? '' : `  made with ${parentId}`;
      return `${id}  ${state.padEnd(16)}  ${used.padEnd(21)}  ${principal.name} (${principal.id})  ${roles}${made}${label === '' ? '' : `  "${label}"`}\n`;
    })
    .join('');
}

async function revoke({ id, keepDerived }: Extract<Command, { kind: 'revoke' }>, prisma: Prisma, tell: Tell): Promise<string> {
  const token = await prisma.token.findUnique({ where: { id }, select: { workspaceId: true } });
  if (token === null) throw new ConcordError('INPUT_INVALID', `There is no token ${id}; "npm run token -- list" shows all. Nothing was revoked.`);
  const now = new Date();
  const revoked = await prisma.$transaction(async (transaction) => {
    // They have no parent any more: who revoked it wanted them to go on.
    if (keepDerived) await transaction.token.updateMany({ where: { parentId: id }, data: { parentId: null } });
    const ended = await revokeTree(transaction, id, now);
    for (const one of ended) {
      const detail = { tokenId: one.id, of: one.principalId, by: 'command line', ...(one.id === id ? {} : { with: id }) };
      await transaction.auditEntry.create({ data: auditRow({ workspaceId: token.workspaceId, principalId: null, action: 'REVOKE_TOKEN', outcome: 'OK', detail }, now) });
    }
    return ended;
  });
  if (revoked.length === 0) return `Token ${id} was revoked before; nothing to do.\n`;
  const untold = await tell(revoked.map((one) => one.id));
  const others = revoked.length === 1 ? '' : `, and ${revoked.length - 1} made with it`;
  return `Revoked ${id}${others}.${untold === null ? '' : ` Running servers could not be told, so connections that are open end within a minute: ${untold}`}\n`;
}

/** By the way on which the servers listen: see auth/authenticate.ts. Null, or why that failed. */
async function tellServers(tokenIds: readonly string[], pool: Database['pool'], redisUrl: string | null, log: Logger): Promise<string | null> {
  if (redisUrl === null) {
    await pool.query('SELECT pg_notify($1, id) FROM unnest($2::text[]) AS id', [tokensChannel, tokenIds]);
    return null;
  }
  try {
    const redis = await openRedis({ url: redisUrl, log });
    try {
      const channel = (await redisPrefix(pool)) + tokensChannel;
      for (const tokenId of tokenIds) await redis.commands.publish(channel, tokenId);
    } finally {
      redis.close();
    }
    return null;
  } catch (error) {
    return reasonOf(error);
  }
}

runCommandLine({
  usage,
  read: (args) => readCommand(args, new Date()),
  run: async (command, { database, config, log }) => ({ text: await run(command, database, (tokenIds) => tellServers(tokenIds, database.pool, config.redisUrl, log)), status: 0 }),
});
