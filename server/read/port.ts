import type { Cursor } from '@concord/core';
import type { Page, ReadPort, Viewer } from '@concord/schema';
import type { Rights } from '../auth/rights.js';
import { formatCursor } from '../feed/cursor.js';
import { readPlaces } from '../feed/log.js';
import type { PrismaClient } from '../generated/prisma/client.js';
import type { Queryable } from '../postgres/queryable.js';
import { callOf, countBytes } from './call.js';
import { readLosses } from './losses.js';
import { readDocument, readDocuments } from './documents.js';
import { readClock, readConflicts, readHistory } from './history.js';
import { requireRole, noSuchWorkspace } from './require-role.js';
import type { ReadShares } from './shares.js';
import type { SizedPage } from './size-sql.js';

/** Reads go to the database, always current: through Prisma, and by statement where a condition or an order is made up by the caller. */
export function createRead({ shares, prisma, rights }: { readonly shares: ReadShares; readonly prisma: PrismaClient; readonly rights: Rights }): ReadPort {
  const run = <Result>(viewer: Viewer, work: (db: Queryable) => Promise<Result>): Promise<Result> => shares.run(viewer.principalId, callOf(viewer)?.left, work);

  /** A page of which the operation has room for. */
  async function page<Row>(viewer: Viewer, work: (db: Queryable) => Promise<SizedPage<Row>>): Promise<Page<Row>> {
    const read = await run(viewer, work);
    countBytes(viewer, read.bytes);
    return read;
  }

  return {
    async document(viewer, workspaceId, id) {
      await requireRole(rights, viewer, workspaceId, 'VIEWER');
      // Not refused for what other reads have taken: it also answers an edit that is committed.
      return readDocument(shares.following(viewer.principalId), workspaceId, id);
    },
    async documents(viewer, workspaceId, request) {
      await requireRole(rights, viewer, workspaceId, 'VIEWER');
      return page(viewer, (db) => readDocuments(db, workspaceId, request));
    },
    async history(viewer, workspaceId, documentId, request) {
      await requireRole(rights, viewer, workspaceId, 'VIEWER');
      return page(viewer, (db) => readHistory(db, prisma, workspaceId, documentId, request));
    },
    async conflicts(viewer, workspaceId, request) {
      await requireRole(rights, viewer, workspaceId, 'VIEWER');
      return page(viewer, (db) => readConflicts(db, prisma, workspaceId, request));
    },
    async losses(viewer, workspaceId, request) {
      await requireRole(rights, viewer, workspaceId, 'VIEWER');
      return page(viewer, (db) => readLosses(db, workspaceId, request));
    },
    async clock(viewer, workspaceId, documentId) {
      await requireRole(rights, viewer, workspaceId, 'VIEWER');
      return run(viewer, (db) => readClock(db, workspaceId, documentId));
    },
    async head(viewer, workspaceId): Promise<Cursor> {
      await requireRole(rights, viewer, workspaceId, 'VIEWER');
      const place = (await run(viewer, (db) => readPlaces(db, [workspaceId]))).get(workspaceId);
      if (place === undefined) throw noSuchWorkspace(workspaceId);
      return formatCursor(place);
    },
  };
}
