import { describe, expect, it } from 'vitest';
import type { ConditionOperator, JsonValue } from '../index.js';
import { compareTexts, matches, matchesAll } from '../index.js';

const document: JsonValue = { n: 5, s: 'hällo', none: null, list: [1, [2, 3], { a: 1 }, 'x'], deep: { '0': 'key', '-1': 'minus', '01': 'zero' } };
const holds = (path: string[], operator: ConditionOperator, value: JsonValue = null) => matches(document, { path, operator, value });

describe('a condition', () => {
  it.each<[string[], ConditionOperator, JsonValue, boolean]>([
    [['n'], 'EQUALS', 5, true],
    [['n'], 'EQUALS', '5', false],
    [['n'], 'NOT_EQUALS', 4, true],
    [['gone'], 'NOT_EQUALS', 4, true],
    [['gone'], 'EQUALS', null, false],
    [['none'], 'EQUALS', null, true],
    [['none'], 'EXISTS', null, true],
    [['gone'], 'ABSENT', null, true],
    [['n'], 'LESS', 6, true],
    [['n'], 'LESS', 'z', false],
    [['n'], 'GREATER_OR_EQUAL', 5, true],
    [['s'], 'STARTS_WITH', 'hä', true],
    [['s'], 'CONTAINS', 'll', true],
    [['s'], 'GREATER', 'hz', true],
    [['list'], 'CONTAINS', [2, 3], true],
    [['list'], 'CONTAINS', [2], false],
    [['list'], 'CONTAINS', { a: 1 }, true],
    [['list', '0'], 'EQUALS', 1, true],
    [['list', '00'], 'EXISTS', null, false],
    [['list', '-1'], 'EXISTS', null, false],
    [['list', 'length'], 'EXISTS', null, false],
    [['deep', '-1'], 'EQUALS', 'minus', true],
    [['deep', '01'], 'EQUALS', 'zero', true],
    [['toString'], 'EXISTS', null, false],
    [['s', '0'], 'EXISTS', null, false],
    [[], 'EXISTS', null, true],
  ])('at %j %s %j is %s', (path, operator, value, expected) => {
    expect(holds(path, operator, value)).toBe(expected);
  });

  it('holds with others only if all hold', () => {
    const conditions = [{ path: ['n'], operator: 'GREATER' as const, value: 1 }, { path: ['n'], operator: 'LESS' as const, value: 5 }];
    expect(matchesAll(document, conditions)).toBe(false);
    expect(matchesAll(document, conditions.slice(0, 1))).toBe(true);
    expect(matchesAll(document, [])).toBe(true);
  });

  it('compares texts by code points, as UTF-8 bytes do', () => {
    const texts = ['', 'a', 'ab', 'b', 'ÿ', '\ud7ff', '\ue000', '\uffff', '😀', '😀a', '😁', '\u{10ffff}'];
    for (const [left, a] of texts.entries()) {
      for (const [right, b] of texts.entries()) {
        expect(Math.sign(compareTexts(a, b))).toBe(Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b))));
        expect(Math.sign(compareTexts(a, b))).toBe(Math.sign(left - right));
      }
    }
  });
});
