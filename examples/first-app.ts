import { openReplica } from '@concord/client';

const token = process.env['CONCORD_TOKEN'] || stop('Set CONCORD_TOKEN to the token that the server printed at its first start.');
const url = process.env['CONCORD_URL'] || 'http://localhost:8080/graphql';
const replica = await openReplica({ url, token, database: 'notes.db' }).catch((error: Error) => stop(error.message));
const notes = replica.collection<{ text: string; done: boolean; likes: number; tags: string[] }>('notes');

// Calls back at once, then after each change: of this replica, of another device, of somebody in GraphiQL.
notes.query({ where: [{ path: '/done', value: false }] }).subscribe((open) => console.log('open:', open.map(({ value }) => value.text)));

// Edits are in notes.db when the call returns, with or without a network.
const { documentId } = notes.create({ text: 'Buy milk', done: false, likes: 0, tags: [] });
notes.insertText(documentId, '/text', 8, ' and bread');
notes.increment(documentId, '/likes');
notes.edit(documentId, (note) => void note.tags.push('shop'));

// Being offline is no error: it is tried again. What the server refuses (the token, or its role) stays refused: this fails at once.
await replica.settled({ timeoutMs: 10_000 }).catch((error: Error) => stop(error.message));
console.log('on the server:', replica.get(documentId)?.value);
await replica.close();

function stop(reason: string): never {
  console.error(reason);
  process.exit(1);
}
