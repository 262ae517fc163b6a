import { conflictRules, formatPointer, type Conflict, type Operation, type Revision } from '@concord/core';

/** Longer values are cut in a sentence; the conflict has all of them. */
const shownCharacters = 60;

/** What happened in a conflict, in one sentence for a person. */
export function explain({
  conflict,
  lostHere,
  revision,
  author,
  foundAt,
}: {
  readonly conflict: Conflict;
  readonly lostHere: boolean;
  readonly revision: Revision | null;
  readonly author: string | null;
  readonly foundAt: string;
}): string {
  const other = `${author ?? 'another replica'}${revision === null ? '' : ` at revision ${revision}`}`;
  const at = `${foundAt.slice(0, 16).replace('T', ' ')} UTC`;
  const [loser, winner] = lostHere ? ['you', other] : [other, 'you'];
  if (conflict.rule === 'editDeleted') {
    return `The edit of ${where(conflict)}${value(conflict)} by ${loser} went with the document, which ${winner} deleted without having seen it (${at}).`;
  }
  return `What ${loser} ${did(conflict.losing.op)} at ${where(conflict)}${value(conflict)} lost to the edit of ${winner} (${at}): ${conflictRules[conflict.rule]}`;
}

const where = ({ path }: Conflict): string => (path.length === 0 ? 'the whole document' : formatPointer(path));

function value({ lost }: Conflict): string {
  if (lost === undefined) return '';
  const text = JSON.stringify(lost);
  return ` (${text.length > shownCharacters ? `${text.slice(0, shownCharacters - 1)}…` : text})`;
}

function did({ op }: Operation): string {
  switch (op) {
    case 'add':
    case 'insert':
      return 'added';
    case 'replace':
      return 'set';
    case 'remove':
      return 'removed';
    case 'move':
      return 'moved';
    case 'inc':
      return 'counted';
    case 'str_ins':
      return 'typed';
    case 'str_del':
      return 'deleted from the text';
    case 'test':
      return 'looked at';
  }
}
