import type { JsonArray, JsonObject, JsonValue } from './json.js';
import type { Path } from './operation.js';
import { isObject } from './value.js';

export const isContainer = (value: JsonValue): value is JsonArray | JsonObject => typeof value === 'object' && value !== null;

export const membersOf = (value: JsonArray | JsonObject): readonly (readonly [string | number, JsonValue])[] =>
  isObject(value) ? Object.entries(value) : (value).map((item, index) => [index, item] as const);

/**
 * A value of the document before, and where it is while the patch is being made. The tree of them is what the operations so far
 * have led to: a place that was moved has another parent, and an array whose items shift has them in `list`.
 */
export class Place {
  /** The items of an array from which or to which something goes; null where nobody asks for the item by its place. */
  list: (Place | null)[] | undefined;
  /** Nothing of `after` is at its place; it goes, unless it is found elsewhere. */
  gone = false;
  /** Something of `after` is made of it. */
  taken = false;
  /** Parts that are still to be moved out of it. */
  leaving = 0;
  private readonly children = new Map<string | number, Place>();

  constructor(
    readonly value: JsonValue,
    public parent: Place | undefined,
    public key: string | number,
  ) {}

  /** The place of a member as it was before; always the same one. */
  child(key: string | number): Place {
    let child = this.children.get(key);
    if (child === undefined) {
      child = new Place((this.value as JsonObject)[key] as JsonValue, this, key);
      this.children.set(key, child);
    }
    return child;
  }

  /** Makes the items known by their places, for `[start, end)` of them. */
  shift(start = 0, end = (this.value as JsonArray).length): void {
    if (this.list !== undefined) return;
    this.list = (this.value as JsonArray).map((_, index) => (index >= start && index < end ? this.child(index) : null));
  }

  path(): Path {
    const { parent } = this;
    return parent === undefined ? [] : [...parent.path(), parent.list === undefined ? this.key : parent.list.indexOf(this)];
  }
}

/** One place of `after` that has to be seen to. */
export class Slot {
  /** What it is made of: something that is there already, or is moved here. Undefined: it is new. */
  place: Place | undefined;
  /** It keeps its rank among the items of its array. */
  stays = false;
  /** What goes from here to make room for it: said as a replacement where that is all. */
  instead: Place | undefined;
  /** What has to be done inside of it. */
  inner: Target | undefined;
  /** It is made of its place, but as another value. */
  replaced = false;
  /** It is new, and has parts that are moved into it. */
  carries = false;
  private parts: readonly Slot[] | undefined;

  constructor(
    readonly after: JsonValue,
    readonly parent: Slot | undefined,
    readonly key: string | number,
  ) {}

  /** The members of a new value, which may be made of something that goes. */
  members(): readonly Slot[] {
    if (!isContainer(this.after)) return [];
    this.parts ??= membersOf(this.after).map(([key, member]) => new Slot(member, this, key));
    return this.parts;
  }

  path(): Path {
    return this.parent === undefined ? [] : [...this.parent.path(), this.key];
  }
}

/** A container of `after` in which something has to be done. */
export interface Target {
  /** In the order of `after`. Of an array that shifts: all between `start` and the same number from its end. */
  readonly slots: readonly Slot[];
  readonly gone: readonly Place[];
  readonly shifts: boolean;
  /** Items before the first slot, and behind the last, that are as they were. */
  readonly start: number;
  readonly rest: number;
}
