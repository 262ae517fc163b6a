import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { errorCodes, retryable, type ErrorCode } from '@concord/core';

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');
const header = read('../include/sync_engine.h');
const library = process.env['SYNC_ENGINE_LIBRARY'] ?? new URL('../build/libsync_engine.so', import.meta.url).pathname;

const statuses = [...(/typedef enum sync_engine_status \{([\s\S]*?)\} sync_engine_status;/.exec(header)?.[1] ?? '').matchAll(/SYNC_ENGINE_([A-Z_]+) = (\d+)/g)].map(
  ([, name = '', number]) => ({ name, number: Number(number) }),
);

describe('the C interface', () => {
  it('has a status of 100 or more for every error code, and no other', () => {
    const server = statuses.filter(({ number }) => number >= 100).map(({ name }) => name);
    expect(server.sort()).toEqual(Object.keys(errorCodes).sort());
  });

  it('numbers the codes that pass by themselves from 180', () => {
    for (const { name, number } of statuses) if (number >= 100) expect(number >= 180, name).toBe(retryable(name as ErrorCode));
  });

  it('keeps the numbers it has published', () => {
    expect(statuses.map(({ name, number }) => `${number} ${name}`).join('\n')).toBe(read('../statuses.txt').trim());
  });

  it('exports what exports.txt lists, and nothing else', () => {
    const symbols = execFileSync('nm', ['-D', '--defined-only', '--format=posix', library], { encoding: 'utf8' })
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split(' ')[0])
      // AddressSanitizer adds its own.
      .filter((name) => name !== undefined && !name.startsWith('__asan') && !name.startsWith('__odr'));
    expect(symbols.sort().join('\n')).toBe(read('../exports.txt').trim());
  });
});
