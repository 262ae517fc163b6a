import type { Operation } from '../operation.js';
import type { Outcome, Row } from './cell.js';
import { Cell } from './cell.js';
import type { ConflictNote, Track } from './conflict-note.js';
import { follow, noteConflict } from './conflict-note.js';
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
  readonly notes: ConflictNote[] = [];
  /** The earlier operations that came out at the right of the last `cross`. */
  crossed: Item[] = [];
  private readonly cell = new Cell();
  private columns: Item[] = [];
  /** Places of conflicts in the rows crossed so far: the rows below still move them. */
  private tracks: Track[] = [];

  constructor(
    private fuel: number,
    private readonly observe?: Observe,
  ) {}

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
    const first = this.tracks.length;
    let left = 0;
    for (let at = (met[0] as Met).next; left < met.length || (at < columns.length && this.tracks.length > first); at++) {
      for (let one = met[left]; one !== undefined && one.next <= at; one = met[++left]) this.track(one.note, first);
      const column = columns[at];
      if (column === undefined) continue;
      for (let index = first; index < this.tracks.length; index++) follow(this.tracks[index] as Track, column.op);
    }
  }

  private track(note: ConflictNote, first: number): void {
    this.notes.push(note);
    const { place, slot } = note.track;
    if (place === undefined) return;
    const last = this.tracks.length > first ? this.tracks[this.tracks.length - 1] : undefined;
    if (last?.place !== undefined && last.slot === slot && samePath(last.place, place)) note.track = last;
    else this.tracks.push(note.track);
  }
}
