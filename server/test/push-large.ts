import { randomUUID } from 'node:crypto';
import { openMembershipCache } from '../auth/membership-cache.js';
import { openDatabase } from '../database.js';
import { createEngine } from '../engine.js';
import { openPostgresNotifications } from '../notify-postgres.js';
import { committed, edit, patch, quiet, viewer } from './engine-world.js';

/**
 * `push-large.ts <database> <documents>`: a node of its own process pushes one edit of each document `large-1`, `large-2` … of
 * workspace w1, all in one push, and tells their revisions and by how much its memory has grown at most.
 */
const [connectionString, documents] = process.argv.slice(2);
if (connectionString === undefined || documents === undefined) throw new Error('give a database and a number of documents');
const database = openDatabase({ connectionString, poolSize: 2, log: quiet });
const notify = await openPostgresNotifications({ connectionString, log: quiet });
const rights = openMembershipCache({ prisma: database.prisma, notify, monotonicNow: () => performance.now() });
const engine = await createEngine({ prisma: database.prisma, pool: database.pool, log: quiet, rights, notify, randomId: randomUUID, cacheBytes: 8 * 1024 * 1024, loadBytes: 4 * 1024 * 1024 });
const editor = viewer('ed', { w1: 'EDITOR' });
const before = process.memoryUsage().rss;
const edits = Array.from({ length: Number(documents) }, (_, index) => edit(`large-${index + 1}`, 'A', 1, 1, patch({ op: 'replace', path: '/n', value: 7 })));
const verdicts = await engine.commit.push(editor, [...editor.memberships.keys()][0]!, edits);
const grownMiB = process.resourceUsage().maxRSS / 1024 - before / 1024 / 1024;
process.stdout.write(JSON.stringify({ revisions: verdicts.map((verdict) => committed(verdict).revision), grownMiB }));
await engine.close();
await notify.close();
await database.close();
