import type { Conflict } from './conflict.js';
import type { JsonValue } from './json.js';
import type { NormalPatch, Operation, Path } from './operation.js';
import { samePath, valueAt } from './path.js';
import type { Track } from './transform/conflict-note.js';
import { follow } from './transform/conflict-note.js';

/** What a conflict about a lost item can be completed from. */
export interface LosingSide {
  /** The patches of the side that lost, as the conflict counts them. */
  readonly patches: readonly NormalPatch[];
  /** The document that these patches lead to, without the other side. */
  readonly document: JsonValue;
  /** The other side, as it runs on that document. */
  readonly past: readonly NormalPatch[];
}

/**
 * The same conflict, with the item that it took away. A move names its item and does not carry it, so the transform, which has
 * no document, cannot say what went with a removed container. Whoever has the document can: `lost` becomes the item as its
 * mover last had it, `place` where the mover had put it, told in the document that holds both sides (absent when that place is
 * gone, too). Other conflicts come back as they are. Cost: the operations of both sides after the move.
 */
export const withItem = (conflict: Conflict, losing: LosingSide): Conflict => {
  const { op, patch, operation } = conflict.losing;
  if (!takesItem(conflict) || op.op !== 'move') return conflict;
  const own = losing.patches[patch]?.slice(operation + 1) ?? [];
  const at = followed(op.path, own, ...losing.patches.slice(patch + 1));
  const lost = at === undefined ? undefined : valueAt(losing.document, at);
  if (at === undefined || lost === undefined) return conflict;
  const place = slotAfter(at, losing.past.flat());
  return place === undefined ? { ...conflict, lost } : { ...conflict, lost, place };
};

/** Whether the rule removed the item that the losing operation moved. */
const takesItem = ({ rule }: Conflict): boolean => {
  switch (rule) {
    case 'moveRemoved':
    case 'moveOut':
    case 'moveIntoAgain':
    case 'moveAddAgain':
    case 'moveKeyAgain':
    case 'moveKeyNested':
    case 'moveCycleAgain':
      return true;
    default:
      return false;
  }
};

/** Where an item is after the operations that come after it was put somewhere. */
const followed = (place: Path, ...patches: readonly (readonly Operation[])[]): Path | undefined => {
  const track: Track = { place, slot: false, given: [] };
  for (const patch of patches) for (const operation of patch) follow(track, operation);
  return track.place;
};

/** The slot that an item leaves behind, where the operations remove it and the slot stays. */
const slotAfter = (place: Path, operations: readonly Operation[]): Path | undefined => {
  let track: Track = { place, slot: false, given: [] };
  for (const operation of operations) {
    const removed = !track.slot && operation.op === 'remove' && track.place !== undefined && samePath(operation.path, track.place);
    if (removed) track = { place: track.place, slot: true, given: [] };
    else follow(track, operation);
  }
  return track.slot ? track.place : undefined;
};
