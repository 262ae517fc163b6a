import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openDataFolder } from '../postgres/data-folder.js';

const folder = mkdtempSync(join(tmpdir(), 'concord-data-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('The data folder', () => {
  it('is made with those above it, by several at once too', async () => {
    const deep = join(folder, 'a', 'b', 'c');
    await Promise.all(Array.from({ length: 8 }, () => openDataFolder(deep)));
    await openDataFolder(deep);
    expect(statSync(deep).isDirectory()).toBe(true);
  });
});
