import type { Outcome } from './demo.js';
import { milliseconds } from './progress.js';

/** The outcome as a short text for a person. */
export function report(outcome: Outcome): string {
  const { timings, bytes, edits } = outcome;
  const conflicts = [...outcome.conflicts.values()].reduce((sum, { count }) => sum + count, 0);
  const lines = [
    '',
    `Documents   ${outcome.documents} imported (${kilobytes(outcome.documentBytes)}); ${outcome.shared} of them edited on both sides while offline, ${outcome.deleted} of these deleted there; ${outcome.documents - outcome.deleted} are left`,
    ...outcome.skipped.slice(0, 5).map(({ source, reason }) => `  skipped   ${source}: ${reason}`),
    ...(outcome.skipped.length > 5 ? [`  skipped   ${outcome.skipped.length - 5} more`] : []),
    `Edits       ${edits.imports + edits.preparing + edits.online + edits.offline}: ${edits.imports} imports, ${edits.preparing} that prepare the edited documents, ${edits.online} while both were online, ${edits.offline} offline on the two sides`,
    ...(outcome.crashed ? ['Crash       the server was killed in the middle of the reconnect, and started again'] : []),
    `Conflicts   ${conflicts}: both sides had changed the same place, and one change gave way; each is recorded with what was lost`,
    ...[...outcome.conflicts].sort(([, a], [, b]) => b.count - a.count).map(([rule, { explanation, count }]) => `  ${String(count).padStart(5)}     ${rule}: ${explanation}`),
    ...(outcome.quarantined > 0 ? [`Quarantine  ${outcome.quarantined}: edits of documents that the other side had deleted meanwhile; kept on the side that made them`] : []),
    `Wire        ${kilobytes(bytes.sent)} sent, ${kilobytes(bytes.received)} received by the two replicas together`,
    'Timings',
    `  import into A, offline             ${milliseconds(timings.importMs)}`,
    `  push to the server                 ${milliseconds(timings.pushMs)}`,
    `  first sync of B                    ${milliseconds(timings.firstSyncMs)}`,
    `  local edit, median                 ${milliseconds(timings.editMs)}`,
    `  edit on A to callback on B, median ${milliseconds(timings.otherReplicaMs)}`,
    `  reconnect and merge                ${milliseconds(timings.reconnectMs)}`,
    'Content',
    ...outcome.contents.map(({ where, documents, hash }) => `  ${where.padEnd(12)} ${String(documents).padStart(6)} documents  sha256 ${hash.slice(0, 16)}…`),
    outcome.different.length === 0
      ? 'Replica A, replica B and the server hold the same content.'
      : `DIFFERENT: ${outcome.different.length} documents differ, for example ${outcome.different.slice(0, 5).join(', ')}.`,
    '',
  ];
  return lines.join('\n');
}

const kilobytes = (bytes: number): string => (bytes >= 1e6 ? `${(bytes / 1e6).toFixed(2)} MB` : `${(bytes / 1e3).toFixed(1)} kB`);
