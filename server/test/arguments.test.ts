import { describe, expect, it } from 'vitest';
import { parseArguments, UsageError, wholeNumber } from '../arguments.js';

const read = (args: string[], allowPositionals = false) =>
  parseArguments({ args, allowPositionals, options: { days: { type: 'string' }, name: { type: 'string', short: 'n' }, quick: { type: 'boolean', default: false } } });

describe('Arguments of a command', () => {
  it('are options with and without values, and what stands between them', () => {
    expect(read(['--days', '3', 'one', '--quick', '--', '--two'], true)).toEqual({ values: expect.objectContaining({ days: '3', quick: true }) as unknown, positionals: ['one', '--two'] });
    expect(read(['-n', 'Ann']).values).toMatchObject({ name: 'Ann', quick: false });
  });

  it('may have a negative number as a value, so that the option itself tells its range', () => {
    expect(read(['--days', '-3']).values.days).toBe('-3');
    expect(read(['--days=-3']).values.days).toBe('-3');
  });

  it.each([
    [['--day', '3'], 'Unknown argument: --day'],
    [['--constructor', '3'], 'Unknown argument: --constructor'],
    [['-x'], 'Unknown argument: -x'],
    [['today'], 'Unknown argument: today'],
    [['--days'], '--days needs a value.'],
    [['--name', '--quick'], '--name needs a value.'],
    [['--name='], '--name needs a value.'],
    [['--quick=1'], '--quick takes no value.'],
  ])('are refused by name: %j', (args, message) => {
    expect(() => read(args)).toThrow(new UsageError(message));
  });

  it.each(['-1', '8', '1.5', 'x', '', '0x3', ' 3'])('are refused with the allowed range where a number is none of it: %j', (given) => {
    expect(() => wholeNumber('--days', given, 0, 7)).toThrow(new UsageError(`--days needs a whole number from 0 to 7, not ${JSON.stringify(given)}.`));
  });
});
