import { isContainer, membersOf, type Place, type Slot } from './diff-tree.js';
import { compare, type DiffRun } from './diff.js';
import type { JsonObject, JsonValue } from './json.js';
import { equalValues, isObject, jsonBytes } from './value.js';

/** What moved values hold may have been moved again; no more turns than this are taken. */
const maxTurns = 8;
/** A value of fewer bytes than this is likely to be there again by chance. */
const minContentBytes = 24;

type Find = (slot: Slot) => Place | undefined;

/**
 * Finds what was taken from one place and put into another, among what goes and what is new: first the same object (where the
 * caller knows), then the same name, then the same content. A name or a content is taken only where it is there once on either
 * side: a wrong guess would carry the edits of others to the wrong value. What was found is compared, and its parts may be found in turn.
 */
export function findMoves(run: DiffRun): void {
  const gone: Place[] = [];
  const fresh: Slot[] = [];
  for (let turn = 0; turn < maxTurns && run.gone.length + run.fresh.length > 0; turn++) {
    gone.push(...run.gone.splice(0));
    fresh.push(...run.fresh.splice(0));
    if (gone.length === 0 || fresh.length === 0) continue;
    const parts = new Parts(gone, fresh, run);
    for (const find of [parts.byOrigin, parts.byName, parts.byContent]) {
      for (const slot of fresh) match(slot, find, run);
    }
  }
}

/** From the outside inwards, so that what moved as a whole is found as a whole. */
function match(slot: Slot, find: Find, run: DiffRun): void {
  if (slot.place !== undefined) return;
  const place = isContainer(slot.after) && !slot.carries ? find(slot) : undefined;
  if (place === undefined) {
    for (const member of slot.members()) if (isContainer(member.after)) match(member, find, run);
    return;
  }
  place.taken = true;
  if (slot.instead === place) slot.stays = true;
  else {
    for (let at = place; !at.gone; at = at.parent!) at.parent!.leaving += 1;
    if (Array.isArray(place.parent!.value)) place.parent!.shift();
    for (let at = slot.parent!; at.place === undefined; at = at.parent!) at.carries = true;
  }
  compare(place, slot, run);
}

/** Whether a part of what goes can still be taken as a whole. */
function isFree(place: Place, excluded: ReadonlySet<JsonValue>): boolean {
  if (place.leaving > 0) return false;
  for (let at: Place | undefined = place; at !== undefined; at = at.parent) {
    if (at.taken || excluded.has(at.value)) return false;
    if (at.gone) return true;
  }
  return false;
}

/** The containers within what goes, by what they can be known by; null where several have it. */
class Parts {
  private readonly origins = new Map<JsonValue, Place>();
  private readonly names = new Map<string, Place | null>();
  private readonly contents = new Map<number, Place | null>();
  private readonly newNames = new Map<string, number>();
  private readonly newContents = new Map<number, number>();
  private readonly hashes = new Map<JsonValue, number>();

  constructor(
    gone: readonly Place[],
    fresh: readonly Slot[],
    private readonly run: DiffRun,
  ) {
    for (const place of gone) this.addPlace(place);
    for (const slot of fresh) this.addSlot(slot);
  }

  readonly byOrigin: Find = (slot) => {
    const origin = this.run.origins?.of(slot.after);
    return origin === undefined ? undefined : this.free(this.origins.get(origin), (value) => !this.run.isAnother(value, slot.after));
  };

  readonly byName: Find = (slot) => {
    const name = this.nameOf(slot.after);
    if (name === undefined || this.newNames.get(name) !== 1) return undefined;
    return this.free(this.names.get(name), (value) => alike(value as JsonObject, slot.after as JsonObject));
  };

  readonly byContent: Find = (slot) => {
    const hash = this.hashOf(slot.after);
    if (this.newContents.get(hash) !== 1) return undefined;
    return this.free(this.contents.get(hash), (value) => equalValues(value, slot.after) && jsonBytes(value, minContentBytes) >= minContentBytes);
  };

  private free(place: Place | null | undefined, fits: (value: JsonValue) => boolean): Place | undefined {
    return place !== null && place !== undefined && isFree(place, this.run.excluded) && fits(place.value) ? place : undefined;
  }

  private addPlace(place: Place): void {
    const { value } = place;
    if (!isContainer(value)) return;
    if (isFree(place, this.run.excluded)) {
      this.origins.set(value, place);
      const name = this.nameOf(value);
      if (name !== undefined) this.names.set(name, this.names.has(name) ? null : place);
      const hash = this.hashOf(value);
      this.contents.set(hash, this.contents.has(hash) ? null : place);
    }
    for (const [key, member] of membersOf(value)) if (isContainer(member)) this.addPlace(place.child(key));
  }

  private addSlot(slot: Slot): void {
    if (!isContainer(slot.after) || slot.place !== undefined) return;
    const name = this.nameOf(slot.after);
    if (name !== undefined) this.newNames.set(name, (this.newNames.get(name) ?? 0) + 1);
    const hash = this.hashOf(slot.after);
    this.newContents.set(hash, (this.newContents.get(hash) ?? 0) + 1);
    for (const member of slot.members()) this.addSlot(member);
  }

  private nameOf(value: JsonValue): string | undefined {
    if (!isObject(value)) return undefined;
    for (const [index, identity] of this.run.identities.entries()) {
      const name = identity(value);
      if (name !== undefined) return `${index} ${name}`;
    }
    return undefined;
  }

  private hashOf(value: JsonValue): number {
    if (!isContainer(value)) return textHash(JSON.stringify(value));
    let hash = this.hashes.get(value);
    if (hash !== undefined) return hash;
    hash = Array.isArray(value) ? 1 : 2;
    if (isObject(value)) {
      // A sum: the order of keys does not count.
      for (const [key, member] of Object.entries(value)) hash = (hash + Math.imul(textHash(key), this.hashOf(member) | 1)) | 0;
    } else for (const item of value) hash = (Math.imul(hash, 31) + this.hashOf(item)) | 0;
    this.hashes.set(value, hash);
    return hash;
  }
}

function textHash(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash;
}

/** Whether two objects with one name are likely the same kind of thing: half of the keys of the smaller one are in both. */
function alike(a: JsonObject, b: JsonObject): boolean {
  const keys = Object.keys(a);
  const shared = keys.filter((key) => Object.hasOwn(b, key)).length;
  return shared * 2 >= Math.min(keys.length, Object.keys(b).length);
}
