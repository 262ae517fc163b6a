import type { JsonValue } from '../json.js';
import type { WirePatch } from '../operation.js';

/** What a person did on one side, what another did on the other, and why it is worth a look. */
export type TransformCase = readonly [comment: string, document: JsonValue, a: WirePatch, b: WirePatch];

/**
 * The cases of fixtures/transform.json, written by hand row by row of the table of the merge. What comes of them in both
 * orders is computed (`npm run fixtures`) and read by a person before it is committed.
 */
export const transformCases: readonly TransformCase[] = [
  // Values
  ['both set the same new key to the same value', {}, [{ op: 'add', path: '/a', value: 1 }], [{ op: 'add', path: '/a', value: 1 }]],
  ['both set the same new key to different values', {}, [{ op: 'add', path: '/a', value: 1 }], [{ op: 'add', path: '/a', value: 2 }]],
  ['different keys, among them one that looks like an index', {}, [{ op: 'add', path: '/0', value: 1 }], [{ op: 'add', path: '/1', value: 2 }]],
  ['both replace with equal values, told in another key order', { a: 0 }, [{ op: 'replace', path: '/a', value: { x: 1, y: 2 } }], [{ op: 'replace', path: '/a', value: { y: 2, x: 1 } }]],
  ['both replace the same value', { a: 0 }, [{ op: 'replace', path: '/a', value: 1 }], [{ op: 'replace', path: '/a', value: 2 }]],
  ['both replace the same item of an array: one item, never two', [0], [{ op: 'replace', path: '/0', value: 1 }], [{ op: 'replace', path: '/0', value: 2 }]],
  ['one replaces what the other removes', { a: 0 }, [{ op: 'replace', path: '/a', value: 1 }], [{ op: 'remove', path: '/a' }]],
  ['one replaces the item the other removes', [0, 9], [{ op: 'replace', path: '/0', value: 1 }], [{ op: 'remove', path: '/0' }]],
  ['both remove the same key', { a: 0, b: 1 }, [{ op: 'remove', path: '/a' }], [{ op: 'remove', path: '/a' }]],
  ['both remove the same item: it goes once', [0, 1, 2], [{ op: 'remove', path: '/1' }], [{ op: 'remove', path: '/1' }]],
  ['one replaces a field of what the other removes', { a: { b: 1 } }, [{ op: 'replace', path: '/a/b', value: 2 }], [{ op: 'remove', path: '/a' }]],
  ['one adds to what the other replaces', { a: {} }, [{ op: 'add', path: '/a/b', value: 2 }], [{ op: 'replace', path: '/a', value: [] }]],
  ['one removes inside of what the other removes', { a: { b: 1 } }, [{ op: 'remove', path: '/a/b' }], [{ op: 'remove', path: '/a' }]],
  ['one replaces the whole document', { a: 1 }, [{ op: 'replace', path: '', value: { b: 2 } }], [{ op: 'replace', path: '/a', value: 3 }]],
  ['both replace the whole document', 0, [{ op: 'replace', path: '', value: 1 }], [{ op: 'replace', path: '', value: 2 }]],
  ['an add onto an existing key is a replace', { a: 0 }, [{ op: 'add', path: '/a', value: 1 }], [{ op: 'remove', path: '/a' }]],
  ['keys with ~ and / in them', { 'a/b': { 'c~d': 0 } }, [{ op: 'replace', path: '/a~1b/c~0d', value: 1 }], [{ op: 'add', path: '/a~1b/e', value: 2 }]],
  // Arrays
  ['both append', ['x'], [{ op: 'add', path: '/-', value: 'a' }], [{ op: 'add', path: '/-', value: 'b' }]],
  ['both insert at the same slot', ['x'], [{ op: 'add', path: '/0', value: 'a' }], [{ op: 'add', path: '/0', value: 'b' }]],
  ['inserts at different slots', ['x', 'y'], [{ op: 'add', path: '/0', value: 'a' }], [{ op: 'add', path: '/2', value: 'b' }]],
  ['one inserts where the other removes', ['x', 'y'], [{ op: 'add', path: '/1', value: 'a' }], [{ op: 'remove', path: '/1' }]],
  ['one inserts where the other replaces: the replacement follows its item', ['x', 'y'], [{ op: 'add', path: '/1', value: 'a' }], [{ op: 'replace', path: '/1', value: 'Y' }]],
  ['an insert before an edited row', [{ n: 1 }, { n: 2 }], [{ op: 'add', path: '/0', value: { n: 0 } }], [{ op: 'replace', path: '/1/n', value: 20 }]],
  ['a removal before an edited row', [{ n: 1 }, { n: 2 }], [{ op: 'remove', path: '/0' }], [{ op: 'replace', path: '/1/n', value: 20 }]],
  ['runs of inserts at one slot stay together', [], [{ op: 'add', path: '/0', value: 'a1' }, { op: 'add', path: '/1', value: 'a2' }], [{ op: 'add', path: '/0', value: 'b1' }, { op: 'add', path: '/1', value: 'b2' }]],
  ['an insert into an array that the other empties', { l: [1, 2] }, [{ op: 'add', path: '/l/1', value: 'a' }], [{ op: 'remove', path: '/l/0' }, { op: 'remove', path: '/l/0' }]],
  // Counters and text
  ['both count', { n: 1 }, [{ op: 'inc', path: '/n', value: 2 }], [{ op: 'inc', path: '/n', value: 3 }]],
  ['one counts what the other replaces', { n: 1 }, [{ op: 'inc', path: '/n', value: 2 }], [{ op: 'replace', path: '/n', value: 10 }]],
  ['one counts what the other removes', { n: 1 }, [{ op: 'inc', path: '/n', value: 2 }], [{ op: 'remove', path: '/n' }]],
  ['both type at the same offset', { t: 'ab' }, [{ op: 'str_ins', path: '/t', pos: 1, str: 'X' }], [{ op: 'str_ins', path: '/t', pos: 1, str: 'YY' }]],
  ['both type at different offsets', { t: 'ab' }, [{ op: 'str_ins', path: '/t', pos: 0, str: 'X' }], [{ op: 'str_ins', path: '/t', pos: 2, str: 'Y' }]],
  ['one types inside of what the other deletes: the text survives', { t: 'abcdef' }, [{ op: 'str_ins', path: '/t', pos: 3, str: 'X' }], [{ op: 'str_del', path: '/t', pos: 1, len: 4 }]],
  ['one types at the edge of what the other deletes', { t: 'abcdef' }, [{ op: 'str_ins', path: '/t', pos: 1, str: 'X' }], [{ op: 'str_del', path: '/t', pos: 1, len: 4 }]],
  ['deletions that overlap', { t: 'abcdef' }, [{ op: 'str_del', path: '/t', pos: 1, len: 3 }], [{ op: 'str_del', path: '/t', pos: 2, len: 3 }]],
  ['a deletion inside of another', { t: 'abcdef' }, [{ op: 'str_del', path: '/t', pos: 1, len: 4 }], [{ op: 'str_del', path: '/t', pos: 2, len: 1 }]],
  ['offsets are UTF-16 units: a face is two', { t: 'a😀b' }, [{ op: 'str_ins', path: '/t', pos: 3, str: '!' }], [{ op: 'str_del', path: '/t', pos: 1, len: 2 }]],
  ['one edits the text that the other replaces', { t: 'ab' }, [{ op: 'str_ins', path: '/t', pos: 1, str: 'X' }], [{ op: 'replace', path: '/t', value: 'new' }]],
  ['a document that is one text', 'ab', [{ op: 'str_ins', path: '', pos: 1, str: 'X' }], [{ op: 'str_del', path: '', pos: 0, len: 2 }]],
  // Moves
  ['one moves a row that the other edits: the edit follows', [{ n: 1 }, { n: 2 }, { n: 3 }], [{ op: 'move', from: '/0', path: '/2' }], [{ op: 'replace', path: '/0/n', value: 10 }]],
  ['one moves a text that the other types into', { t: 'ab' }, [{ op: 'move', from: '/t', path: '/u' }], [{ op: 'str_ins', path: '/t', pos: 2, str: 'c' }]],
  ['one renames a key in which the other adds', { a: {} }, [{ op: 'move', from: '/a', path: '/b' }], [{ op: 'add', path: '/a/x', value: 1 }]],
  ['one moves an item, the other replaces it: the new value is at the new place', ['x', 'y'], [{ op: 'move', from: '/0', path: '/1' }], [{ op: 'replace', path: '/0', value: 'X' }]],
  ['one moves an item that the other removes', ['x', 'y', 'z'], [{ op: 'move', from: '/0', path: '/2' }], [{ op: 'remove', path: '/0' }]],
  ['one moves a child out of what the other removes', { a: { b: 1 } }, [{ op: 'move', from: '/a/b', path: '/b' }], [{ op: 'remove', path: '/a' }]],
  ['one moves a child out of what the other replaces', { a: { b: 1 } }, [{ op: 'move', from: '/a/b', path: '/b' }], [{ op: 'replace', path: '/a', value: 0 }]],
  ['one moves an item into what the other removes: it stays home', { a: {}, b: 1 }, [{ op: 'move', from: '/b', path: '/a/b' }], [{ op: 'remove', path: '/a' }]],
  ['one moves an item into what the other replaces: it stays home', { a: {}, b: 1 }, [{ op: 'move', from: '/b', path: '/a/b' }], [{ op: 'replace', path: '/a', value: [] }]],
  ['an item brought home once meets the removal again: it goes', { a: {}, b: 1 }, [{ op: 'move', from: '/b', path: '/a/b', restoring: true }], [{ op: 'remove', path: '/a' }]],
  ['one moves an item to a key that the other sets', { a: 1 }, [{ op: 'move', from: '/a', path: '/k' }], [{ op: 'add', path: '/k', value: 'new' }]],
  ['the same with an item brought home', { a: 1 }, [{ op: 'move', from: '/a', path: '/k', restoring: true }], [{ op: 'add', path: '/k', value: 'new' }]],
  ['both move the same item to different places', { a: 1 }, [{ op: 'move', from: '/a', path: '/b' }], [{ op: 'move', from: '/a', path: '/c' }]],
  ['both move the same item to the same place', { a: 1 }, [{ op: 'move', from: '/a', path: '/b' }], [{ op: 'move', from: '/a', path: '/b' }]],
  ['both move the same row', ['x', 'y', 'z'], [{ op: 'move', from: '/0', path: '/2' }], [{ op: 'move', from: '/0', path: '/1' }]],
  ['both swap the same neighbours, each by the other item', ['x', 'y', 'z'], [{ op: 'move', from: '/0', path: '/1' }], [{ op: 'move', from: '/1', path: '/0' }]],
  ['different items to the same key', { a: 1, b: 2 }, [{ op: 'move', from: '/a', path: '/k' }], [{ op: 'move', from: '/b', path: '/k' }]],
  ['the same with both brought home', { a: 1, b: 2 }, [{ op: 'move', from: '/a', path: '/k', restoring: true }], [{ op: 'move', from: '/b', path: '/k', restoring: true }]],
  ['different rows to the same slot', ['x', 'y', 'z', 'w'], [{ op: 'move', from: '/0', path: '/3' }], [{ op: 'move', from: '/1', path: '/3' }]],
  ['a container and an item of it to the same key', { a: { b: 1 } }, [{ op: 'move', from: '/a', path: '/k' }], [{ op: 'move', from: '/a/b', path: '/k' }]],
  ['each moved into the other', { a: {}, b: {} }, [{ op: 'move', from: '/a', path: '/b/a' }], [{ op: 'move', from: '/b', path: '/a/b' }]],
  ['the same with both brought home', { a: {}, b: {} }, [{ op: 'move', from: '/a', path: '/b/a', restoring: true }], [{ op: 'move', from: '/b', path: '/a/b', restoring: true }]],
  ['one moves a container, the other an item inside of it', { a: { b: 1 } }, [{ op: 'move', from: '/a', path: '/x' }], [{ op: 'move', from: '/a/b', path: '/a/c' }]],
  ['one moves a container, the other an item out of it', { a: { b: 1 } }, [{ op: 'move', from: '/a', path: '/x' }], [{ op: 'move', from: '/a/b', path: '/y' }]],
  ['one moves an item into the container that the other moves', { a: {}, b: 1 }, [{ op: 'move', from: '/b', path: '/a/b' }], [{ op: 'move', from: '/a', path: '/x' }]],
  ['a row moved over the row that the other inserts', ['x', 'y', 'z'], [{ op: 'move', from: '/0', path: '/2' }], [{ op: 'add', path: '/1', value: 'new' }]],
  ['a row moved from one list to another that the other shortens', { todo: ['x', 'y'], done: ['z'] }, [{ op: 'move', from: '/todo/1', path: '/done/1' }], [{ op: 'remove', path: '/todo/0' }, { op: 'remove', path: '/done/0' }]],
  ['a move onto an existing key is a removal and a move', { a: 1, b: 2 }, [{ op: 'move', from: '/a', path: '/b' }], [{ op: 'replace', path: '/b', value: 3 }]],
  // Guards and chains
  ['a guard follows its row', [{ n: 1 }, { n: 2 }], [{ op: 'add', path: '/0', value: {} }], [{ op: 'test', path: '/1/n', value: 2 }, { op: 'replace', path: '/1/n', value: 3 }]],
  ['a guard whose row is gone', [{ n: 1 }], [{ op: 'remove', path: '/0' }], [{ op: 'test', path: '/0/n', value: 1 }]],
  ['a copy is its literal value: later edits of the source do not reach it', { a: 1 }, [{ op: 'copy', from: '/a', path: '/b' }], [{ op: 'replace', path: '/a', value: 2 }]],
  ['a chain that builds on what the other makes impossible', { a: {} }, [{ op: 'add', path: '/a/l', value: [] }, { op: 'add', path: '/a/l/0', value: 'x' }], [{ op: 'replace', path: '/a', value: 'flat' }]],
  ['add wins over add, and what was added inside of the loser goes with it', {}, [{ op: 'add', path: '/a', value: {} }, { op: 'add', path: '/a/x', value: 1 }], [{ op: 'add', path: '/a', value: [] }, { op: 'add', path: '/a/0', value: 2 }]],
];
