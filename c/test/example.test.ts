import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { driverProgram } from './c-replica.js';
import { newFile, server } from './world.js';

describe('the C++ example', () => {
  it('adds to a list that two replicas share', async () => {
    const notes = (file: string, ...items: string[]) => promisify(execFile)(join(dirname(driverProgram), '..', 'notes'), [file, server.url, server.token, ...items]);
    const offline = await promisify(execFile)(join(dirname(driverProgram), '..', 'notes'), [newFile(), 'http://127.0.0.1:1', 'id.secret', 'tea']);
    expect(offline.stdout).toContain('2 edits wait for the server (NETWORK)');
    expect(offline.stdout).toContain('{"items":["tea"]}');
    await notes(newFile(), 'milk', 'bread "rye"');
    const { stdout } = await notes(newFile(), 'eggs');
    expect(stdout.trim().split('\n').at(-1)).toBe('{"items":["milk","bread \\"rye\\"","eggs"]}');
  });
});
