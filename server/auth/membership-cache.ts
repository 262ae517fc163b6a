import { LRUCache } from 'lru-cache';
import type { PrincipalId, WorkspaceId } from '@concord/core';
import type { Membership, Role } from '@concord/schema';
import type { PrismaClient } from '../generated/prisma/client.js';
import type { Notifications } from '../notify.js';
import type { Revocation, Rights } from './rights.js';

const channel = 'concord_rights';
/** Upper bound of what a lost hint costs. */
const freshMs = 5_000;
const mostPrincipals = 20_000;

/** The memberships of principals, read at most every few seconds and dropped on every node as soon as one changes. */
export interface MembershipCache extends Rights {
  memberships(principalId: PrincipalId): Promise<ReadonlyMap<WorkspaceId, Membership>>;
  /** Call after the transaction that changed the role: this node answers anew at once, the others within milliseconds. */
  changed(revocation: Revocation): Promise<void>;
  close(): void;
}

interface Entry {
  readonly loading: Promise<ReadonlyMap<WorkspaceId, Membership>>;
  readonly loadedAt: number;
}

export function openMembershipCache(options: {
  readonly prisma: PrismaClient;
  readonly notify: Notifications;
  /** Milliseconds, monotonic. */
  readonly monotonicNow: () => number;
}): MembershipCache {
  const { prisma, notify, monotonicNow } = options;
  const entries = new LRUCache<PrincipalId, Entry>({ max: mostPrincipals });
  const listeners = new Set<(revocation: Revocation) => void>();

  async function load(principalId: PrincipalId): Promise<ReadonlyMap<WorkspaceId, Membership>> {
    const principal = await prisma.principal.findUnique({
      where: { id: principalId },
      select: { defaultWorkspaceId: true, memberships: { include: { workspace: { select: { name: true, history: true } } }, orderBy: [{ createdAt: 'asc' }, { workspaceId: 'asc' }] } },
    });
    const rows = principal?.memberships ?? [];
    // The one chosen, even where the principal is no longer in it: what it writes without a name must not go elsewhere unasked.
    const usual = principal?.defaultWorkspaceId ?? rows.find(({ source }) => source !== 'INVITATION')?.workspaceId;
    return new Map(
      rows.map(({ workspaceId, role, workspace }) => {
        const id = workspaceId as WorkspaceId;
        return [id, { workspaceId: id, name: workspace.name, role, history: workspace.history, isDefault: workspaceId === usual }];
      }),
    );
  }

  function memberships(principalId: PrincipalId): Promise<ReadonlyMap<WorkspaceId, Membership>> {
    const known = entries.get(principalId);
    if (known !== undefined && monotonicNow() - known.loadedAt < freshMs) return known.loading;
    const entry: Entry = { loading: load(principalId), loadedAt: monotonicNow() };
    entries.set(principalId, entry);
    entry.loading.catch(() => {
      if (entries.peek(principalId) === entry) entries.delete(principalId);
    });
    return entry.loading;
  }

  function drop(revocation: Revocation): void {
    entries.delete(revocation.principalId);
    tell(revocation);
  }

  function tell(revocation: Revocation): void {
    // Copied: a listener may listen anew.
    for (const listener of [...listeners]) listener(revocation);
  }

  /** Hints were lost: everything known is asked again, and so is every open stream. */
  function dropAll(): void {
    const known = [...entries.entries()];
    entries.clear();
    for (const [principalId, { loading }] of known) {
      loading.then(
        // Not dropped again for each workspace: they share one look at the rows.
        (memberships) => [...memberships.keys()].forEach((workspaceId) => tell({ principalId, workspaceId })),
        () => undefined,
      );
    }
  }

  const unsubscribe = notify.subscribe(channel, (payload) => {
    const [principalId, workspaceId] = payload.split(' ');
    if (principalId && workspaceId) drop({ principalId: principalId as PrincipalId, workspaceId: workspaceId as WorkspaceId });
  });
  const stopGap = notify.onGap(dropAll);

  return {
    memberships,
    async role(principalId, workspaceId): Promise<Role | null> {
      return (await memberships(principalId)).get(workspaceId)?.role ?? null;
    },
    onRevoked(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async changed(revocation) {
      drop(revocation);
      await notify.publish(channel, `${revocation.principalId} ${revocation.workspaceId}`);
    },
    close() {
      unsubscribe();
      stopGap();
    },
  };
}
