import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { ConcordError } from '@concord/core';
import type { ExecutionResult } from 'graphql';
import { createMask } from '../mask.js';
import { guardStream } from '../stream.js';

const mask = createMask({ log: pino({ level: 'silent' }), randomId: () => 'id' });

async function* endless(): AsyncGenerator<ExecutionResult> {
  for (let n = 0; ; n++) yield await Promise.resolve({ data: { n } });
}

describe('An event stream', () => {
  it('that lives long holds nothing of what was read from it', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const stream = guardStream(endless(), mask, () => () => undefined);
    const heldAfter = async (results: number): Promise<number> => {
      for (let read = 0; read < results; read++) await stream.next();
      collect();
      return process.memoryUsage().heapUsed;
    };
    const before = await heldAfter(5_000);
    expect(((await heldAfter(50_000)) - before) / 2 ** 20).toBeLessThan(2);
    await stream.return?.();
  });

  it('tells the end of the caller\'s rights in place of what was due, once, and ends', async () => {
    let end: (reason: ConcordError) => void = () => undefined;
    let watched = true;
    const stream = guardStream(endless(), mask, (listener) => {
      end = listener;
      return () => (watched = false);
    });
    expect(await stream.next()).toEqual({ done: false, value: { data: { n: 0 } } });
    end(new ConcordError('UNAUTHENTICATED', 'Revoked.'));
    expect(await stream.next()).toMatchObject({ done: false, value: { errors: [{ message: 'Revoked.', extensions: { code: 'UNAUTHENTICATED' } }] } });
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    expect(watched).toBe(false);
  });

  it('ends for a reader who waits while nothing is due', async () => {
    let end: (reason: ConcordError) => void = () => undefined;
    const silent: AsyncIterable<ExecutionResult> = { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }) };
    const stream = guardStream(silent, mask, (listener) => {
      end = listener;
      return () => undefined;
    });
    const waiting = stream.next();
    end(new ConcordError('UNAUTHENTICATED', 'Revoked.'));
    expect(await waiting).toMatchObject({ value: { errors: [{ message: 'Revoked.' }] } });
  });
});
