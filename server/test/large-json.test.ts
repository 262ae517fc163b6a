import { describe, expect, it } from 'vitest';
import { parseLargeJson } from '../graphql/large-json.js';
import { Turns } from '../rate-limit/turns.js';

const turns = new Turns();
const parsed = (text: string, piece?: number): Promise<unknown> => parseLargeJson(Buffer.from(text), turns, piece);

/** Numbers from 0 to below 1, the same in every run. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

function valueOf(random: () => number, depth: number): unknown {
  const kind = Math.floor(random() * (depth > 4 ? 5 : 8));
  const many = (): number => Math.floor(random() * 6);
  switch (kind) {
    case 0:
      return Math.floor(random() * 1_000) - 500;
    case 1:
      return random() < 0.5;
    case 2:
      return null;
    case 3:
      return 'a"\\{[,:]}\u00e9\n\u{1f600}'.repeat(many());
    case 4:
      return '\\'.repeat(many());
    case 5:
      return Array.from({ length: many() }, () => valueOf(random, depth + 1));
    default:
      return Object.fromEntries(Array.from({ length: many() }, () => [['a', 'b', '1', '0', 'k"', '\\', 'long'.repeat(8)][many()]!, valueOf(random, depth + 1)]));
  }
}

describe('A large JSON text that is parsed in pieces', () => {
  it('has the value that JSON.parse gives it, wherever the pieces end', async () => {
    const random = randomOf(1);
    for (let round = 0; round < 400; round++) {
      const value = valueOf(random, 0);
      const text = JSON.stringify(value, null, random() < 0.3 ? 2 : 0);
      for (const piece of [1, 2, 7, 40]) expect(await parsed(` ${text}\n`, piece)).toEqual(JSON.parse(text));
    }
  });

  it('is refused exactly where JSON.parse refuses it', async () => {
    const random = randomOf(2);
    for (let round = 0; round < 1_500; round++) {
      const text = JSON.stringify(valueOf(random, 0));
      const at = Math.floor(random() * text.length);
      const cut = random() < 0.5 ? text.slice(0, at) + text.slice(at + 1) : text.slice(0, at) + '[]{}",:1 '[Math.floor(random() * 9)]! + text.slice(at);
      // As it is sent, in UTF-8: half a surrogate pair is none.
      const damaged = Buffer.from(cut).toString();
      let expected: unknown;
      try {
        expected = { value: JSON.parse(damaged) as unknown };
      } catch {
        expected = 'refused';
      }
      for (const piece of [1, 5, 30]) {
        const found = await parsed(damaged, piece).then((value) => ({ value }), (error: unknown) => (error instanceof SyntaxError ? 'refused' : error));
        expect({ damaged, found }).toEqual({ damaged, found: expected });
      }
    }
  });

  it('keeps a member __proto__ as a member, and of equal keys the last', async () => {
    const text = `{"__proto__":{"x":[1,2]},"a":[1,2,3,4],"a":{"y":[5]},"b":1}`;
    const value = (await parsed(text, 4)) as Record<string, unknown>;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(JSON.stringify(value)).toBe(JSON.stringify(JSON.parse(text)));
  });

  it('is refused when it is nested deeper than any input may be', async () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    await expect(parsed(deep)).rejects.toThrow('nested deeper than 160 levels');
  });

  it.each([
    ['empty lists', `[${Array<string>(1_500_000).fill('[]').join()}]`],
    ['objects of keys of their own', `[${Array.from({ length: 300_000 }, (_, index) => `{"${index.toString(36)}":0}`).join()}]`],
    ['one string of escaped quotes', JSON.stringify('"'.repeat(2_000_000))],
    ['one object of many keys', `{${Array.from({ length: 400_000 }, (_, index) => `"${index.toString(36)}":0`).join()}}`],
  ])('lets others have their turn in between: %s', async (_name, text) => {
    const bytes = Buffer.from(text);
    const began = performance.now();
    let longest = 0;
    let seen = began;
    let done = false;
    const watch = (): void => {
      const now = performance.now();
      longest = Math.max(longest, now - seen);
      seen = now;
      if (!done) setImmediate(watch);
    };
    watch();
    const value = await parseLargeJson(bytes, turns);
    done = true;
    watch();
    const whole = performance.now() - began;
    expect(value === undefined).toBe(false);
    // Other processes may take the processor from any one turn.
    expect(longest).toBeLessThan(Math.max(60, whole / 3));
  });
});
