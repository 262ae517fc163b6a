import { conditionOperators, matchesAll, type Condition, type JsonValue } from '@concord/core';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { conditionsSql } from '../read/conditions-sql.js';
import { openWorld, type World } from './engine-world.js';
import { postgresUrl } from './postgres-url.js';

let world: World;
beforeAll(async () => {
  world = await openWorld(postgresUrl());
});
afterAll(() => world.close());

const token = fc.constantFrom('a', 'b', '0', '1', '-1', '01', '+1', ' 1', '-', '', 'toString', '__proto__', '99999999999', 'ä', '\u0000', '\ud800', 'a/b~');
const scalar: fc.Arbitrary<JsonValue> = fc.oneof(
  fc.constantFrom<JsonValue>(null, true, false, 0, 1, -1, 1.5, 1e21, 1e-7, 1e300, 5e-324, 2 ** 53, '', 'a', 'ab', 'b', '😀', '\ue000', '1', '%', '_', "'", '\\'),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => (number === 0 ? 0 : number)),
);
const storable = (name: string) => !name.includes('\u0000') && !name.includes('\ud800') && name !== '__proto__';
const value = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(token.filter(storable), tie('value'), { maxKeys: 4 }),
  ),
})).value;
const condition: fc.Arbitrary<Condition> = fc.record({ path: fc.array(token, { maxLength: 3 }), operator: fc.constantFrom(...conditionOperators), value: fc.oneof(value, fc.constant('\u0000'), fc.constant('\ud800')) });

describe('conditions in PostgreSQL', () => {
  it('hold exactly where they hold in memory', async () => {
    let held = 0;
    const check = async (document: JsonValue, conditions: readonly Condition[]) => {
      const values: unknown[] = [JSON.stringify(document)];
      const { rows } = await world.sql.query<{ holds: boolean }>(`SELECT ${conditionsSql('v', conditions, values)} AS holds FROM (SELECT $1::jsonb AS v) d`, values);
      const expected = matchesAll(document, conditions);
      if (expected) held += 1;
      expect(rows[0]?.holds, JSON.stringify({ document, conditions })).toBe(expected);
    };
    await fc.assert(fc.asyncProperty(value, fc.array(condition, { minLength: 1, maxLength: 2 }), check), { numRuns: 1200 });
    // The value wanted is often one that is there: at its own place, and among its neighbours.
    await fc.assert(
      fc.asyncProperty(value, value, fc.constantFrom(...conditionOperators), token.filter(storable), async (inner, other, operator, key) => {
        await check({ [key]: inner, list: [other, inner] }, [{ path: [key], operator, value: inner }]);
        await check([inner, other], [{ path: [], operator: 'CONTAINS', value: inner }]);
        await check({ [key]: inner }, [{ path: [key], operator, value: other }]);
      }),
      { numRuns: 500 },
    );
    expect(held).toBeGreaterThan(300);
  });
});
