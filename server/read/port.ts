import type { Cursor } from '@concord/core';
import type { ReadPort } from '@concord/schema';
import type { Rights } from '../auth/rights.js';
import { formatCursor } from '../feed/cursor.js';
import { readPlaces } from '../feed/log.js';
import type { PrismaClient } from '../generated/prisma/client.js';
import type { Queryable } from '../postgres/queryable.js';
import { readLosses } from './losses.js';
import { readDocument, readDocuments } from './documents.js';
import { readClock, readConflicts, readHistory } from './history.js';
import { requireRole, noSuchWorkspace } from './require-role.js';

/** Reads go to the database, always current: through Prisma, and by statement where a condition or an order is made up by the caller. */
export function createRead({ db, prisma, rights }: { readonly db: Queryable; readonly prisma: PrismaClient; readonly rights: Rights }): ReadPort {
  return {
    async document(viewer, workspaceId, id) {
      await requireRole(rights, viewer, workspaceId, 'VIEWER');
      return readDocument(db, workspaceId, id);
    },
    async documents(viewer, workspaceId, request) {
      await requireRole(rights, viewer, workspaceId, 'VIEWER');
      return readDocuments(db, workspaceId, request);
    },
    async history(viewer, workspaceId, documentId, request) {
      await requireRole(rights, viewer, workspaceId, 'VIEWER');
      return readHistory(db, prisma, workspaceId, documentId, request);
    },
    async conflicts(viewer, workspaceId, request) {
      await requireRole(rights, viewer, workspaceId, 'VIEWER');
      return readConflicts(db, prisma, workspaceId, request);
    },
    async losses(viewer, workspaceId, request) {
      await requireRole(rights, viewer, workspaceId, 'VIEWER');
      return readLosses(db, workspaceId, request);
    },
    async clock(viewer, workspaceId, documentId) {
      await requireRole(rights, viewer, workspaceId, 'VIEWER');
      return readClock(db, workspaceId, documentId);
    },
    async head(viewer, workspaceId): Promise<Cursor> {
      await requireRole(rights, viewer, workspaceId, 'VIEWER');
      const place = (await readPlaces(db, [workspaceId])).get(workspaceId);
      if (place === undefined) throw noSuchWorkspace(workspaceId);
      return formatCursor(place);
    },
  };
}
