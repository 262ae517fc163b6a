import type { Logger } from 'pino';
import { ConcordError, parseWorkspaceId, type PrincipalId } from '@concord/core';
import { parseArguments, UsageError, wholeNumber } from './arguments.js';
import { auditRow } from './audit.js';
import { tokensChannel } from './auth/authenticate.js';
import { newCredential } from './auth/credentials.js';
import { runCommandLine } from './command-line.js';
import type { Database } from './database.js';
import { redisPrefix } from './notify-redis.js';
import { openRedis, reasonOf } from './redis.js';

const usage = `Usage:
  npm run token -- create --name NAME --role OWNER|EDITOR|VIEWER [--workspace ID] [--label TEXT] [--days N]
      Makes a principal with a role in a workspace (default: main) and prints its token, this once.
  npm run token -- list
      All tokens: id, state, principal, roles, label. Secrets are not kept and cannot be shown.
  npm run token -- revoke ID
      Ends a token at once, on running servers too.

Works on the data of a server that has started before, whether it runs now or not: in DATABASE_URL, or of the own PostgreSQL in
CONCORD_DATA. Servers with REDIS_URL are told of a revocation by Redis: set it here too, else their open connections end within a
minute.
Exit status: 0 done, 1 not done, 2 wrong arguments.
`;

type Command =
  | { readonly kind: 'create'; readonly name: string; readonly role: 'OWNER' | 'EDITOR' | 'VIEWER'; readonly workspaceId: string; readonly label: string; readonly expiresAt: Date | null }
  | { readonly kind: 'list' }
  | { readonly kind: 'revoke'; readonly id: string };

/** @throws UsageError that says what is wrong. */
function readCommand(args: readonly string[], now: Date): Command {
  const { values, positionals } = parseArguments({
    args,
    allowPositionals: true,
    options: { name: { type: 'string' }, role: { type: 'string' }, workspace: { type: 'string' }, label: { type: 'string' }, days: { type: 'string' } },
  });
  const [kind, id, ...rest] = positionals;
  if (rest.length > 0 || (kind !== 'revoke' && id !== undefined)) throw new UsageError(`Unknown argument: ${kind === 'revoke' ? rest.join(' ') : positionals.slice(1).join(' ')}`);
  if (kind !== 'create' && Object.keys(values).length > 0) throw new UsageError(`${kind ?? 'This'} takes no options.`);
  switch (kind) {
    case 'list':
      return { kind };
    case 'revoke':
      if (id === undefined) throw new UsageError('revoke needs the id of a token: the part before the dot.');
      return { kind, id: id.split('.')[0] ?? id };
    case 'create': {
      const { name, role, workspace = 'main', label = '', days } = values;
      if (name === undefined || name.trim() === '' || name.length > 256) throw new UsageError('create needs --name with 1 to 256 characters.');
      if (role !== 'OWNER' && role !== 'EDITOR' && role !== 'VIEWER') throw new UsageError(`create needs --role OWNER, EDITOR or VIEWER${role === undefined ? '' : `, not ${role}`}.`);
      const workspaceId = parseWorkspaceId(workspace);
      if (!workspaceId.ok) throw new UsageError(`--workspace: ${workspaceId.error.message}`);
      const expiresAt = days === undefined ? null : new Date(now.getTime() + wholeNumber('--days', days, 1, 99_999) * 86_400_000);
      return { kind, name, role, workspaceId: workspaceId.value, label, expiresAt };
    }
    default:
      throw new UsageError(kind === undefined ? 'Say what to do: create, list or revoke.' : `Unknown argument: ${kind}. Say create, list or revoke.`);
  }
}

/** `tell`: tells the running servers of a revoked token; null, or why that failed. */
async function run(command: Command, { prisma }: Database, tell: (tokenId: string) => Promise<string | null>): Promise<string> {
  switch (command.kind) {
    case 'create': {
      const { name, role, workspaceId, label, expiresAt } = command;
      if ((await prisma.workspace.findUnique({ where: { id: workspaceId } })) === null) {
        throw new ConcordError('WORKSPACE_NOT_FOUND', `There is no workspace ${workspaceId}. The first one, main, is made at the first start of the server.`);
      }
      const { id, token, hash } = await newCredential();
      const principalId = (await newCredential()).id as PrincipalId;
      const act = { workspaceId, principalId: null, outcome: 'OK' } as const;
      await prisma.$transaction([
        prisma.principal.create({ data: { id: principalId, name } }),
        prisma.membership.create({ data: { workspaceId, principalId, role } }),
        prisma.token.create({ data: { id, principalId, label, hash, expiresAt } }),
        prisma.auditEntry.create({ data: auditRow({ ...act, action: 'CREATE_TOKEN', detail: { tokenId: id, for: principalId, name, role, by: 'command line' } }, new Date()) }),
      ]);
      return `${token}\n`;
    }
    case 'list': {
      const tokens = await prisma.token.findMany({ include: { principal: { include: { memberships: true } } }, orderBy: { createdAt: 'asc' } });
      if (tokens.length === 0) return 'There are no tokens. The first start of the server makes one.\n';
      return tokens
        .map(({ id, revokedAt, expiresAt, label, principal }) => {
          const state = revokedAt !== null ? 'revoked' : expiresAt === null ? 'valid' : expiresAt > new Date() ? `until ${expiresAt.toISOString().slice(0, 10)}` : 'expired';
          const roles = principal.memberships.map(({ workspaceId, role }) => `${role} of ${workspaceId}`).join(', ');
          return `${id}  ${state.padEnd(16)}  ${principal.name} (${principal.id})  ${roles}${label === '' ? '' : `  "${label}"`}\n`;
        })
        .join('');
    }
    case 'revoke': {
      const { count } = await prisma.token.updateMany({ where: { id: command.id, revokedAt: null }, data: { revokedAt: new Date() } });
      if (count === 0) {
        if ((await prisma.token.findUnique({ where: { id: command.id } })) === null) {
          throw new ConcordError('INPUT_INVALID', `There is no token ${command.id}; "npm run token -- list" shows all. Nothing was revoked.`);
        }
        return `Token ${command.id} was revoked before; nothing to do.\n`;
      }
      await prisma.auditEntry.create({
        data: auditRow({ workspaceId: null, principalId: null, action: 'REVOKE_TOKEN', outcome: 'OK', detail: { tokenId: command.id, by: 'command line' } }, new Date()),
      });
      const untold = await tell(command.id);
      return `Revoked ${command.id}.${untold === null ? '' : ` Running servers could not be told, so connections that are open end within a minute: ${untold}`}\n`;
    }
  }
}

/** By the way on which the servers listen: see auth/authenticate.ts. Null, or why that failed. */
async function tellServers(tokenId: string, pool: Database['pool'], redisUrl: string | null, log: Logger): Promise<string | null> {
  if (redisUrl === null) {
    await pool.query('SELECT pg_notify($1, $2)', [tokensChannel, tokenId]);
    return null;
  }
  try {
    const redis = await openRedis({ url: redisUrl, log });
    try {
      await redis.commands.publish((await redisPrefix(pool)) + tokensChannel, tokenId);
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
  run: async (command, { database, config, log }) => ({ text: await run(command, database, (tokenId) => tellServers(tokenId, database.pool, config.redisUrl, log)), status: 0 }),
});
