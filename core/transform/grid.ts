import type { Operation } from '../operation.js';
import type { Outcome, Row } from './cell.js';
import { Cell } from './cell.js';
import type { ConflictNote, Track } from './conflict-note.js';
import { follow, heed, isIdle, noteConflict, supersede } from './conflict-note.js';
import { transformPair } from './pair.js';
import { samePath } from './places.js';

/** An operation on its way through the grid; `seq` says which of the operations given it comes from. */
export interface Item {
  readonly op: Operation;
  readonly seq: number;
}

export const isList = (outcome: Outcome): outcome is readonly Operation[] => Array.isArray(outcome);

/** A conflict met in a row, and the column that comes after its square. */
interface Met {
  readonly note: ConflictNote;
  readonly next: number;
}

/** Called with the row of the conflict table that each touching pair met. For tests that count them. */
export type Observe = (row: Row) => void;

/**
 * The grid of two lists of operations made on the same state: rows are the earlier operations, columns the later ones,
 * and every square is one pair. Each earlier operation is taken across all columns, changing them as it goes; what comes
 * out at the right is the earlier list to run after the later one, and what the columns have become is the later list.
 *
 * A square may yield several operations on a side. They are taken across the remaining columns one after the other. All
 * rules together cannot go on for ever (each split uses up a move, or divides a deletion by an insertion that stays one),
 * but a hostile pair of patches could make it long, so the squares are counted and the grid gives up when `fuel` is spent.
 */
export class Grid {
  /** The earlier operations that came out at the right of the last `cross`. */
  crossed: Item[] = [];
  private readonly cell = new Cell();
  private columns: Item[] = [];
  /** Places of conflicts in the rows crossed so far: the rows below still move them. */
  private tracks: Track[] = [];
  private readonly met: ConflictNote[] = [];

  constructor(
    private fuel: number,
    private readonly observe?: Observe,
  ) {}

  /** The conflicts that are to be told, in the order in which they were met. */
  notes(): readonly ConflictNote[] {
    return this.met.filter((note) => !isIdle(note));
  }

  /**
   * Takes `rows` across `columns`, which is changed in place. False: the fuel is spent and nothing that came out is of
   * use.
   */
  cross(rows: readonly Item[], columns: Item[]): boolean {
    this.columns = columns;
    this.crossed = [];
    this.tracks = [];
    for (const row of rows) {
      this.take(row, 0);
      if (this.fuel < 0) return false;
    }
    return true;
  }

  private take(row: Item, from: number): void {
    const { columns, cell } = this;
    this.fuel -= columns.length - from;
    if (this.fuel < 0) return;
    let op = row.op;
    let met: Met[] | undefined;
    for (let at = from; at < columns.length; at++) {
      const column = columns[at] as Item;
      if (!transformPair(op, column.op, cell)) continue;
      const { earlier, later } = cell;
      this.observe?.(cell.row);
      const width = isList(later) ? later.length : 1;
      if (cell.loser !== undefined) {
        (met ??= []).push({ note: noteConflict(cell, row.seq, op, column.seq, column.op), next: at + width });
      }
      if (isList(later)) columns.splice(at, 1, ...later.map((it) => ({ op: it, seq: column.seq })));
      else if (later !== column.op) columns[at] = { op: later, seq: column.seq };
      if (isList(earlier)) {
        for (const piece of earlier) this.take({ op: piece, seq: row.seq }, at + width);
        this.place(met);
        return;
      }
      op = earlier;
      at += width - 1;
    }
    for (const track of this.tracks) follow(track, op);
    this.crossed.push(op === row.op ? row : { op, seq: row.seq });
    this.place(met);
  }

  /**
   * The conflicts of one row, met at different columns: their places are told in the state right after their square.
   * They follow the columns to the right, which this row has crossed by now; the rows below move them as they come out.
   */
  private place(met: readonly Met[] | undefined): void {
    if (met === undefined) return;
    const { columns } = this;
    const fresh: Track[] = [];
    // Only one of a row's conflicts can be about a value that stands: the one that ended the row.
    const ending = (met.at(-1) as Met).note;
    let left = 0;
    for (let at = (met[0] as Met).next; left < met.length || (at < columns.length && fresh.length > 0); at++) {
      for (let one = met[left]; one !== undefined && one.next <= at; one = met[++left]) track(one.note, fresh);
      const column = columns[at];
      if (column === undefined) continue;
      if (left === met.length) {
        const before = ending.track;
        heed(ending, column.op, column.seq);
        if (ending.track !== before) fresh.push(ending.track);
      }
      for (const place of fresh) follow(place, column.op);
    }
    for (const { note } of met) this.keep(note);
  }

  /** A conflict whose place has come to the end of its row. Those at one place share its track with the rows above. */
  private keep(note: ConflictNote): void {
    this.met.push(note);
    const { place, slot } = note.track;
    if (place === undefined) return;
    let known = this.tracks.find((one) => one === note.track);
    known ??= this.tracks.find((one) => one.slot === slot && one.place !== undefined && samePath(one.place, place));
    if (known === undefined) this.tracks.push((known = note.track));
    note.track = known;
    supersede(known, note);
  }
}

/** Conflicts at one place that a row meets one after the other are followed as one. */
const track = (note: ConflictNote, fresh: Track[]): void => {
  const { place, slot } = note.track;
  if (place === undefined) return;
  const last = fresh.at(-1);
  if (last?.place !== undefined && last.slot === slot && samePath(last.place, place)) note.track = last;
  else fresh.push(note.track);
};
