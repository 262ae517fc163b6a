import { openReplica, patchFromPaths } from '@concord/client';
import { enablePatches, produceWithPatches } from 'immer';

interface Note {
  readonly text: string;
  readonly tags: readonly string[];
}

enablePatches();
const replica = await openReplica({ url: 'http://localhost:8080/graphql', token: 'not.used', database: ':memory:', online: false });
const notes = replica.collection<Note>('notes');
const { documentId } = notes.create({ text: 'Buy milk', tags: ['shop', 'a/b', 'old'] });

const before = notes.get(documentId)!.value;
const [, operations] = produceWithPatches(before, (draft) => {
  draft.text = 'Buy milk and bread';
  draft.tags.length = 1;
});
notes.edit(documentId, patchFromPaths(before, operations));
console.log(notes.get(documentId)?.value);
await replica.close();
