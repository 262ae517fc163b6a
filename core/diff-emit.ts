import { isContainer, Place, type Slot, type Target } from './diff-tree.js';
import type { JsonValue } from './json.js';
import type { Operation } from './operation.js';

/** Something that waits for its key to be given up by what is there. */
interface Waiting {
  readonly container: Place;
  readonly slot: Slot;
}

/**
 * Makes the patch of what was compared. From the outside inwards each container gets what is new and what is moved into it, so that
 * nothing is ever moved into itself; then what goes is removed, when nothing is left to be moved out of it and what was put in its place
 * stands *between* what goes; last come the edits of values, at places that are final by then.
 */
export class Emission {
  readonly patch: Operation[] = [];
  /** Values that stand at a key which others wait for, while they wait themselves: they cannot be moved. */
  readonly stuck: JsonValue[] = [];
  private readonly open: { readonly place: Place; readonly target: Target }[] = [];
  private waiting: Waiting[] = [];
  private readonly edited: Slot[] = [];

  /** False: some moves wait for each other, and `stuck` has what not to move. */
  run(root: Slot, edit: (slot: Slot) => readonly Operation[]): boolean {
    this.enter(root);
    // Grows while it is walked.
    for (let next = 0; ; next++) {
      const opened = this.open[next];
      if (opened !== undefined) this.fill(opened.place, opened.target);
      else if (!this.retry()) break;
      else next -= 1;
    }
    if (this.waiting.length > 0) {
      for (const { slot } of this.waiting) this.stuck.push(slot.instead!.value);
      return false;
    }
    for (const { target } of this.open) {
      for (let index = target.gone.length - 1; index >= 0; index--) {
        const place = target.gone[index]!;
        if (!place.taken && place.parent !== undefined) this.remove(place);
      }
    }
    for (const slot of this.edited) for (const operation of edit(slot)) this.patch.push(operation);
    return true;
  }

  private enter(slot: Slot): void {
    if (slot.replaced) this.edited.push(slot);
    if (slot.inner !== undefined) this.open.push({ place: slot.place!, target: slot.inner });
  }

  private fill(place: Place, target: Target): void {
    if (target.shifts) this.fillArray(place, target);
    else {
      for (const slot of target.slots) {
        if (slot.stays) this.enter(slot);
        else if (!this.putKey(place, slot)) this.waiting.push({ container: place, slot });
      }
    }
  }

  private fillArray(place: Place, { slots, start, rest }: Target): void {
    const list = place.list!;
    let at = start;
    let coming: Slot[] = [];
    const putBefore = (end: number): void => {
      // Between two that go (or leave): what others insert at the edges of a replaced range then stays at its edge.
      let index = end - at >= 2 ? at + 1 : at;
      for (const slot of coming) index = this.putItem(place, slot, index) + 1;
      if (coming.length > 0) at = index;
      coming = [];
    };
    for (const slot of slots) {
      const here = slot.stays ? slot.place! : slot.place === undefined && slot.instead !== undefined && isLeft(slot.instead) ? slot.instead : undefined;
      if (here === undefined) {
        coming.push(slot);
        continue;
      }
      putBefore(list.indexOf(here, at));
      at = list.indexOf(here, at) + 1;
      if (slot.stays) this.enter(slot);
      else this.replace(here, slot);
    }
    putBefore(list.length - rest);
  }

  /** Puts an item at an index of an array, and says at which one it is. */
  private putItem(container: Place, slot: Slot, index: number): number {
    const list = container.list!;
    const { place } = slot;
    if (place === undefined) {
      const item = new Place(literalOf(slot), container, index);
      list.splice(index, 0, item);
      this.patch.push({ op: 'insert', path: [...container.path(), index], value: item.value });
      this.settle(slot, item);
      return index;
    }
    const from = place.path();
    const left = this.detach(place);
    const to = left.container === container && left.index < index ? index - 1 : index;
    list.splice(to, 0, place);
    place.parent = container;
    if (left.container !== container || left.index !== to) this.patch.push({ op: 'move', from, path: [...container.path(), to] });
    this.enter(slot);
    return to;
  }

  /** Puts a member under a key of an object. False: what is there has to go first, and cannot yet. */
  private putKey(container: Place, slot: Slot): boolean {
    const { instead, place, key } = slot;
    if (instead !== undefined && instead.parent === container && instead.key === key) {
      if (!isLeft(instead)) return false;
      if (place === undefined) {
        this.replace(instead, slot);
        return true;
      }
      this.remove(instead);
    }
    if (place === undefined) {
      const member = new Place(literalOf(slot), container, key);
      this.patch.push({ op: 'add', path: member.path(), value: member.value });
      this.settle(slot, member);
      return true;
    }
    const from = place.path();
    this.detach(place);
    place.parent = container;
    place.key = key;
    this.patch.push({ op: 'move', from, path: place.path() });
    this.enter(slot);
    return true;
  }

  private replace(old: Place, slot: Slot): void {
    const path = old.path();
    const container = old.parent!;
    const place = new Place(literalOf(slot), container, old.key);
    if (container.list !== undefined) container.list[container.list.indexOf(old)] = place;
    old.parent = undefined;
    this.patch.push({ op: 'replace', path, value: place.value });
    this.settle(slot, place);
  }

  private remove(place: Place): void {
    this.patch.push({ op: 'remove', path: place.path() });
    this.detach(place);
    place.parent = undefined;
  }

  private detach(place: Place): { readonly container: Place; readonly index: number } {
    const container = place.parent!;
    if (place.taken) for (let at = place; !at.gone; at = at.parent!) at.parent!.leaving -= 1;
    const index = container.list?.indexOf(place) ?? -1;
    if (index >= 0) container.list!.splice(index, 1);
    return { container, index };
  }

  private settle(slot: Slot, place: Place): void {
    makeRoom(slot, place);
    this.enter(slot);
  }

  /** Tries what waits again; whether something came of it. */
  private retry(): boolean {
    const { waiting } = this;
    this.waiting = [];
    for (const item of waiting) if (!this.putKey(item.container, item.slot)) this.waiting.push(item);
    return this.waiting.length < waiting.length;
  }
}

/** A new value is at its place; what is moved into it comes when its turn is. */
function makeRoom(slot: Slot, place: Place): void {
  slot.place = place;
  if (!slot.carries) return;
  const members = slot.members();
  const isList = Array.isArray(slot.after);
  if (isList) place.list = [];
  for (const member of members) {
    if (member.place !== undefined) continue;
    member.stays = true;
    const child = new Place(literalOf(member), place, member.key);
    place.list?.push(child);
    makeRoom(member, child);
  }
  slot.inner = { slots: members.filter(({ stays, carries }) => isList || !stays || carries), gone: [], shifts: isList, start: 0, rest: 0 };
}

/** Whether it goes, and nothing in it is to be moved any more. */
const isLeft = (place: Place): boolean => !place.taken && place.leaving === 0;

/** A new value without what is moved into it. */
function literalOf(slot: Slot): JsonValue {
  if (!slot.carries || !isContainer(slot.after)) return slot.after;
  const own = slot.members().filter(({ place }) => place === undefined);
  return Array.isArray(slot.after) ? own.map(literalOf) : Object.fromEntries(own.map((member) => [member.key, literalOf(member)]));
}
