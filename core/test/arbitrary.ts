import fc from 'fast-check';
import type { JsonValue } from '../index.js';

/** Few keys, some of them like indices and some inherited names, so that random values and paths collide often. */
export const key = fc.constantFrom('a', 'b', '0', '1', 'id', '~', '/', 'constructor', '');

const leaf = fc.oneof(
  fc.constantFrom<JsonValue>(null, true, false, 0, 1, 2, -7, 1.5, '', 'a', 'ab', 'abc', '😀', 'x😀y', 'é'),
  fc.integer({ min: -3, max: 3 }),
);

/** Values where equal parts, empty containers and numeric-looking keys are common. */
export const jsonValue: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue; object: JsonValue; array: JsonValue; named: JsonValue }>((tie) => ({
  value: fc.oneof({ depthSize: 'small', maxDepth: 4 }, { arbitrary: leaf, weight: 3 }, { arbitrary: tie('object'), weight: 2 }, { arbitrary: tie('array'), weight: 2 }, tie('named')),
  object: fc.dictionary(key, tie('value'), { maxKeys: 4 }),
  array: fc.array(tie('value'), { maxLength: 5 }),
  named: fc
    .uniqueArray(fc.integer({ min: 0, max: 7 }), { maxLength: 6 })
    .chain((ids) => fc.tuple(...ids.map((id) => tie('value').map((value) => ({ id, value }))))),
})).value;

/** A document with something in it to change. */
export const jsonDocument: fc.Arbitrary<JsonValue> = fc.record({ a: jsonValue, b: jsonValue, list: fc.array(jsonValue, { maxLength: 5 }) });
