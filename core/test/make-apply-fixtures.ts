import { writeFileSync } from 'node:fs';
import { apply, normalizeAndApply, parsePatch, toWire, type JsonValue } from '../index.js';

/**
 * Writes fixtures/apply.json from the cases below: `node --conditions=@concord/source --import tsx core/test/make-apply-fixtures.ts`.
 * The expectations are what this code gives and were read by a person before they were committed; from then on the file, which
 * the C tests run too, is what holds. A patch given as a string is JSON text that some parsers refuse to hold.
 */
type Case = readonly [comment: string, document: JsonValue, patch: readonly object[] | string];

const add = (path: string, value: unknown) => ({ op: 'add', path, value });
const replace = (path: string, value: unknown) => ({ op: 'replace', path, value });
const remove = (path: string) => ({ op: 'remove', path });
const move = (from: string, path: string) => ({ op: 'move', from, path });
const copy = (from: string, path: string) => ({ op: 'copy', from, path });
const test = (path: string, value: unknown) => ({ op: 'test', path, value });
const inc = (path: string, value: unknown) => ({ op: 'inc', path, value });
const insertText = (path: string, pos: number, str: string) => ({ op: 'str_ins', path, pos, str });
const deleteText = (path: string, pos: number, len: number) => ({ op: 'str_del', path, pos, len });

const cases: readonly Case[] = [
  ['an empty patch changes nothing', { a: 1 }, []],

  // add
  ['add sets an absent key', { a: 1 }, [add('/b', [2])]],
  ['add replaces the value of an existing key', { a: 1 }, [add('/a', { b: null })]],
  ['add inserts before an item', [1, 3], [add('/1', 2)]],
  ['add at the length of an array appends', [1], [add('/1', 2)]],
  ['add at - appends', { l: [1] }, [add('/l/-', 2), add('/l/-', 3)]],
  ['add at - of an empty array', [], [add('/-', 1)]],
  ['add of an array inserts it as one item', [1], [add('/0', [2, 3])]],
  ['add at the root replaces the document', { a: 1 }, [add('', ['new'])]],
  ['add under the empty key', {}, [add('/', 1), add('//', 2)]],
  ['add under the empty key twice', { '': {} }, [add('//', 2)]],
  ['add of null', {}, [add('/a', null)]],
  ['add of false', {}, [add('/a', false)]],
  ['add of 0', {}, [add('/a', 0)]],
  ['add of -0 is an add of 0', {}, '[{"op":"add","path":"/a","value":-0}]'],
  ['add under a key that looks like an index', { a: { '0': 'x' } }, [add('/a/1', 'y'), replace('/a/0', 'z')]],
  ['add under - of an object is the key -', {}, [add('/-', 1)]],
  ['add under 01 of an object is the key 01', {}, [add('/01', 1)]],
  ['add needs the parent', {}, [add('/a/b', 1)]],
  ['add behind the end of an array', [1], [add('/2', 2)]],
  ['add into a text', { a: 'text' }, [add('/a/0', 'x')]],
  ['add into null', { a: null }, [add('/a/b', 1)]],
  ['add with a leading zero', [1, 2], [add('/01', 3)]],
  ['add with a sign', [1, 2], [add('/+1', 3)]],
  ['add at -1', [1, 2], [add('/-1', 3)]],
  ['add with an exponent', [1, 2], [add('/1e0', 3)]],
  ['add at a key of an array', [1, 2], [add('/key', 3)]],
  ['add at the empty token of an array', [1, 2], [add('/', 3)]],
  ['- is not a way into an array', [{}], [add('/-/a', 1)]],
  ['a huge index', [1], [add('/99999999999999999999', 1)]],

  // remove
  ['remove a key', { a: 1, b: 2 }, [remove('/a')]],
  ['remove an item closes the gap', [1, 2, 3], [remove('/1'), remove('/1')]],
  ['remove a whole container', { a: { b: [1] } }, [remove('/a')]],
  ['remove of a missing key', { a: 1 }, [remove('/b')]],
  ['remove behind the end', [1], [remove('/1')]],
  ['remove from an empty array', [], [remove('/0')]],
  ['remove at -', [1], [remove('/-')]],
  ['remove of the root', { a: 1 }, [remove('')]],
  ['remove the same place twice', { a: 1 }, [remove('/a'), remove('/a')]],
  ['a failing operation undoes those before it', { a: 1 }, [remove('/a'), add('/b', 2), remove('/c')]],

  // replace
  ['replace the value of a key', { a: 1 }, [replace('/a', { b: 2 })]],
  ['replace an item keeps its place', [1, 2, 3], [replace('/1', 'x')]],
  ['replace the root by a scalar', { a: 1 }, [replace('', 7)]],
  ['replace the root and go on in it', { a: 1 }, [replace('', { b: [] }), add('/b/-', 1)]],
  ['replace of a missing key', { a: 1 }, [replace('/b', 1)]],
  ['replace at the length of an array', [1], [replace('/1', 2)]],
  ['replace at -', [1], [replace('/-', 2)]],
  ['replace an item by a container and go on in it', [0], [replace('/0', { l: [] }), add('/0/l/0', 1)]],

  // move
  ['move a key', { a: 1 }, [move('/a', '/b')]],
  ['move onto an existing key replaces it', { a: 1, b: 2 }, [move('/a', '/b')]],
  ['move an item to the front', [1, 2, 3], [move('/2', '/0')]],
  ['move an item back: the target counts after the removal', [1, 2, 3], [move('/0', '/2')]],
  ['move an item to -', [1, 2, 3], [move('/0', '/-')]],
  ['move of the last item to - changes nothing', [1, 2], [move('/1', '/-')]],
  ['move an item behind the end, counted after the removal', [1, 2, 3], [move('/0', '/3')]],
  ['move between arrays', { a: [1, 2], b: [3] }, [move('/a/0', '/b/1')]],
  ['move from an array to a key', { a: [1, 2] }, [move('/a/1', '/b')]],
  ['move from a key to an array', { a: [1], b: 2 }, [move('/b', '/a/0')]],
  ['move a container with what is in it', { a: { x: [1] }, b: {} }, [move('/a/x', '/b/y')]],
  ['move onto itself changes nothing', { a: { b: 1 } }, [move('/a/b', '/a/b')]],
  ['move of a missing value onto itself', { a: 1 }, [move('/b', '/b')]],
  ['move into itself', { a: { b: 1 } }, [move('/a', '/a/b')]],
  ['move into itself, deeper', { a: { b: { c: {} } } }, [move('/a', '/a/b/c/d')]],
  ['move of the root into itself', { a: {} }, [move('', '/a/b')]],
  ['move of the root onto itself', { a: 1 }, [move('', '')]],
  ['move to a place whose name only begins the same', { a: 1, ab: {} }, [move('/a', '/ab/c')]],
  ['move onto the container it is in', { a: { b: { c: 1 } } }, [move('/a/b', '/a')]],
  ['move to the root', { a: { b: 1 } }, [move('/a', '')]],
  ['move an item into the one that takes its place', [1, { a: 2 }], [move('/0', '/0/b')]],
  ['move out of an item to the slot of the item', [{ a: 1 }], [move('/0/a', '/0')]],
  ['move an item onto the key that holds its array', { a: [1, 2] }, [move('/a/0', '/a')]],
  ['move an item onto an existing key of a later item', [1, { a: 2 }], [move('/0', '/0/a')]],
  ['move of a missing value', { a: 1 }, [move('/b', '/c')]],
  ['move to a missing parent', { a: 1 }, [move('/a', '/b/c')]],
  ['move from -', [1], [move('/-', '/0')]],
  ['a restoring move is a move', { a: 1 }, [{ op: 'move', from: '/a', path: '/b', restoring: true }]],

  // copy
  ['copy a value', { a: { b: [1] } }, [copy('/a', '/c')]],
  ['copy onto an existing key replaces it', { a: 1, b: 2 }, [copy('/a', '/b')]],
  ['copy into an array inserts', { a: 1, l: [2] }, [copy('/a', '/l/0')]],
  ['copy to -', { l: [1] }, [copy('/l/0', '/l/-')]],
  ['copy into itself', { a: { b: 1 } }, [copy('/a', '/a/c')]],
  ['copy of the root into itself', { a: 1 }, [copy('', '/b')]],
  ['copy to the root', { a: { b: 1 } }, [copy('/a', '')]],
  ['a copy does not follow its source', { a: { n: 1 } }, [copy('/a', '/b'), inc('/a/n', 5), inc('/b/n', 1)]],
  ['a copy of what the patch changed before', { a: { n: 1 } }, [inc('/a/n', 1), copy('/a', '/b'), inc('/a/n', 1), inc('/b/n', 10)]],
  ['copy of a missing value', {}, [copy('/a', '/b')]],

  // test
  ['test of equal scalars', { a: 1, b: 'x', c: null, d: true }, [test('/a', 1), test('/b', 'x'), test('/c', null), test('/d', true)]],
  ['test ignores the order of keys', { a: { x: 1, y: [{ p: 1, q: 2 }] } }, [test('/a', { y: [{ q: 2, p: 1 }], x: 1 })]],
  ['test compares numbers by value', { a: 1 }, '[{"op":"test","path":"/a","value":1.0},{"op":"test","path":"/a","value":10e-1}]'],
  ['test of the root', [1, 2], [test('', [1, 2])]],
  ['test sees what came before', { a: 1 }, [add('/b', 2), test('/b', 2), remove('/a'), test('', { b: 2 })]],
  ['test of another number', { a: 1 }, [test('/a', 2)]],
  ['test of a number against a text', { a: 1 }, [test('/a', '1')]],
  ['test of null against a missing key', {}, [test('/a', null)]],
  ['test of false against 0', { a: 0 }, [test('/a', false)]],
  ['test heeds the order of items', { a: [1, 2] }, [test('/a', [2, 1])]],
  ['test of an array against an object', { a: [] }, [test('/a', {})]],
  ['test with a member more', { a: { x: 1 } }, [test('/a', { x: 1, y: 2 })]],
  ['test with a member less', { a: { x: 1, y: 2 } }, [test('/a', { x: 1 })]],
  ['test at -', [1], [test('/-', 1)]],
  ['a failed test undoes what came before', { a: 1 }, [replace('/a', 2), test('/a', 1)]],

  // pointers
  ['~1 is a slash', { 'a/b': 1 }, [replace('/a~1b', 2)]],
  ['~0 is a tilde', { 'a~b': 1 }, [replace('/a~0b', 2)]],
  ['~01 is a tilde and a one', { '~1': 1 }, [replace('/~01', 2)]],
  ['~10 is a slash and a zero', { '/0': 1 }, [replace('/~10', 2)]],
  ['keys that RFC 6901 names', { 'c%d': 1, 'e^f': 2, 'g|h': 3, 'i\\j': 4, 'k"l': 5, ' ': 6 }, [remove('/c%d'), remove('/e^f'), remove('/g|h'), remove('/i\\j'), remove('/k"l'), replace('/ ', 7)]],
  ['percent signs are not decoded', { 'a%20b': 1, 'a b': 2 }, [remove('/a%20b')]],
  ['keys are compared unit by unit, without Unicode normalisation', { 'é': 'composed' }, [add('/e\u0301', 'decomposed')]],
  ['keys outside of the basic plane', { '😀': 1 }, [copy('/😀', '/𝒳')]],
  ['a pointer without its slash', { a: 1 }, [remove('a')]],
  ['a pointer as a URI fragment', { a: 1 }, [remove('#/a')]],
  ['a tilde that escapes nothing', { 'a~': 1 }, [remove('/a~')]],
  ['a tilde that escapes another digit', { 'a~2': 1 }, [remove('/a~2')]],
  ['a pointer deeper than the limit', {}, [add('/a'.repeat(129), 1)]],
  ['a pointer longer than the limit', {}, [add(`/${'a'.repeat(4096)}`, 1)]],

  // names that objects inherit
  ['constructor is data', { constructor: 1 }, [inc('/constructor', 1), add('/toString', 'x'), add('/hasOwnProperty', null)]],
  ['an inherited name is not there', {}, [remove('/toString')]],
  ['an inherited name cannot be replaced', { a: {} }, [replace('/a/hasOwnProperty', 1)]],
  ['an inherited name is no way', {}, [add('/constructor/prototype', 1)]],
  ['__proto__ is refused as a key', {}, [add('/__proto__', {})]],
  ['__proto__ is refused on the way', { a: {} }, [add('/a/__proto__/b', 1)]],
  ['__proto__ is refused inside of a value', {}, '[{"op":"add","path":"/a","value":[{"__proto__":1}]}]'],
  ['length is no index', [1], [replace('/length', 0)]],

  // inc
  ['inc adds', { n: 5 }, [inc('/n', 3), inc('/n', -10)]],
  ['inc by 0 changes nothing', { n: 5 }, [inc('/n', 0)]],
  ['inc of an item', [1, 2], [inc('/1', 40)]],
  ['inc of the root', 1, [inc('', 1)]],
  ['inc up to the last safe integer', { n: 9007199254740990 }, [inc('/n', 1)]],
  ['inc past the last safe integer', { n: 9007199254740991 }, [inc('/n', 1)]],
  ['inc below the first safe integer', { n: -9007199254740991 }, [inc('/n', -1)]],
  ['inc by a number that is no safe integer', { n: 1 }, [inc('/n', 9007199254740992)]],
  ['inc by a fraction', { n: 1 }, [inc('/n', 0.5)]],
  ['inc of a fraction', { n: 0.5 }, [inc('/n', 1)]],
  ['inc of a text', { n: '1' }, [inc('/n', 1)]],
  ['inc of null', { n: null }, [inc('/n', 1)]],
  ['inc of a missing value does not make one', {}, [inc('/n', 1)]],
  ['inc by a text', { n: 1 }, [inc('/n', '1')]],

  // text: offsets are UTF-16 code units
  ['str_ins at the start, inside and at the end', { t: 'bd' }, [insertText('/t', 0, 'a'), insertText('/t', 2, 'c'), insertText('/t', 4, 'e')]],
  ['str_ins into an empty text', { t: '' }, [insertText('/t', 0, 'x')]],
  ['str_ins of nothing changes nothing', { t: 'x' }, [insertText('/t', 1, '')]],
  ['str_del at the start, inside and at the end', { t: 'abcdef' }, [deleteText('/t', 0, 1), deleteText('/t', 1, 2), deleteText('/t', 2, 1)]],
  ['str_del of everything leaves an empty text', { t: 'abc' }, [deleteText('/t', 0, 3)]],
  ['str_del of nothing changes nothing', { t: 'abc' }, [deleteText('/t', 3, 0)]],
  ['str_del may carry its text in place of a length', { t: 'a😀b' }, [{ op: 'str_del', path: '/t', pos: 1, str: '😀' }]],
  ['text of an item', ['ab'], [insertText('/0', 1, '-')]],
  ['text of the root', 'ab', [insertText('', 1, '-'), deleteText('', 0, 1)]],
  ['offsets count UTF-16 units: an emoji is two', { t: '😀x' }, [insertText('/t', 2, '!')]],
  ['offsets count UTF-16 units: é and 漢 are one', { t: 'é漢x' }, [insertText('/t', 2, '!')]],
  ['a whole emoji is deleted by two units', { t: 'a😀b' }, [deleteText('/t', 1, 2)]],
  ['combining marks are units of their own', { t: 'e\u0301' }, [deleteText('/t', 1, 1)]],
  ['a joined emoji may be cut between its parts', { t: '👩\u200d👧' }, [deleteText('/t', 2, 3)]],
  ['a run of edits at one place and then a test', { t: '' }, [insertText('/t', 0, 'h'), insertText('/t', 1, 'i'), insertText('/t', 2, '😀'), deleteText('/t', 2, 2), test('/t', 'hi')]],
  ['an offset in the middle of a pair', { t: '😀' }, [insertText('/t', 1, 'x')]],
  ['a deletion that begins in the middle of a pair', { t: '😀a' }, [deleteText('/t', 1, 2)]],
  ['a deletion that ends in the middle of a pair', { t: 'a😀' }, [deleteText('/t', 0, 2)]],
  ['an offset behind the end is not clamped', { t: 'ab' }, [insertText('/t', 3, 'x')]],
  ['a deletion over the end is not clamped', { t: 'ab' }, [deleteText('/t', 1, 2)]],
  ['text in a number', { t: 5 }, [insertText('/t', 0, 'x')]],
  ['text in a missing value does not make one', {}, [insertText('/t', 0, 'x')]],
  ['a negative offset', { t: 'a' }, [insertText('/t', -1, 'x')]],
  ['an offset that is no integer', { t: 'ab' }, [deleteText('/t', 0.5, 1)]],
  ['half of a character to insert', { t: '' }, '[{"op":"str_ins","path":"/t","pos":0,"str":"\\ud83d"}]'],

  // values that cannot be held the same everywhere
  ['U+0000 in a text', {}, '[{"op":"add","path":"/a","value":"x\\u0000"}]'],
  ['U+0000 in a key', {}, '[{"op":"add","path":"/a","value":{"\\u0000":1}}]'],
  ['U+0000 in a pointer', {}, '[{"op":"add","path":"/\\u0000","value":1}]'],
  ['a lone high surrogate', {}, '[{"op":"add","path":"/a","value":["\\ud800"]}]'],
  ['a lone low surrogate', {}, '[{"op":"add","path":"/a","value":["\\udc00x"]}]'],
  ['a number past the doubles', {}, '[{"op":"add","path":"/a","value":1e400}]'],
  ['control characters are held', {}, [add('/a', '\u0001\t\n\u001f\u007f\u2028')]],
  ['a number that doubles round', {}, '[{"op":"add","path":"/a","value":9007199254740993}]'],
  ['a value deeper than the limit', {}, `[{"op":"add","path":"/a","value":${'['.repeat(128)}${']'.repeat(128)}}]`],
  ['a value as deep as the limit', {}, `[{"op":"add","path":"/a","value":${'['.repeat(127)}${']'.repeat(127)}}]`],

  // the form of the patch
  ['unknown members are ignored', { a: 1 }, [{ ...remove('/a'), spam: true, value: 1 }]],
  ['an unknown operation', { a: 1 }, [{ op: 'spam', path: '/a' }]],
  ['no op', { a: 1 }, [{ path: '/a' }]],
  ['no path', { a: 1 }, [{ op: 'remove' }]],
  ['no value', { a: 1 }, [{ op: 'add', path: '/b' }]],
  ['no from', { a: 1 }, [{ op: 'move', path: '/b' }]],
  ['no pos', { t: '' }, [{ op: 'str_ins', path: '/t', str: 'x' }]],
  ['no str', { t: '' }, [{ op: 'str_ins', path: '/t', pos: 0 }]],
  ['no len', { t: 'a' }, [{ op: 'str_del', path: '/t', pos: 0 }]],
  ['a path that is null', { a: 1 }, '[{"op":"remove","path":null}]'],
  ['an operation that is an array', { a: 1 }, '[["remove","/a"]]'],
  ['a patch that is an object', { a: 1 }, '{"op":"remove","path":"/a"}'],
];

const records = cases.map(([comment, document, source]) => {
  const json: unknown = typeof source === 'string' ? JSON.parse(source) : source;
  const given = typeof source === 'string' ? { comment, document, patchText: source } : { comment, document, patch: source };
  const patch = parsePatch(json);
  const result = patch.ok ? apply(document, patch.value) : patch;
  if (!patch.ok || !result.ok) {
    const { code, operation } = (result as { error: { code: string; operation?: number } }).error;
    return { ...given, error: code, ...(operation === undefined ? {} : { operation }) };
  }
  const normal = normalizeAndApply(document, patch.value);
  if (!normal.ok) throw new Error(`${comment}: applies but does not normalise`);
  return { ...given, expected: result.value, normal: toWire(normal.value.patch) };
});

const about =
  'Patches against documents: `expected`, or the code of the refusal and the index of the `operation` that is refused. `patchText` is JSON text where a parser might already refuse it. `normal` is the normal form on the wire.';
const lines = records.map((record) => `    ${JSON.stringify(record)}`);
writeFileSync(
  new URL('../../fixtures/apply.json', import.meta.url),
  `{\n  "about": ${JSON.stringify(about)},\n  "cases": [\n${lines.join(',\n')}\n  ]\n}\n`,
);
