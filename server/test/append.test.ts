import type { JsonValue, WorkspaceId } from '@concord/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { committed, create, documentId, edit, openWorld, patch, type Node, type World } from './engine-world.js';
import { postgresUrl } from './postgres-url.js';

let world: World;
let node: Node;
beforeAll(async () => {
  world = await openWorld(postgresUrl());
  node = await world.node();
});
afterAll(() => world.close());

/** What would end a list, a text or a value early, or stand for something else, where it is written carelessly. */
const awkward = ['NULL', 'null', '', '{', '}', '{a,b}', ',', '"', '\\', '\\"', '"\\', '\\\\', '\n\t\r', "'", '$1', 'é', '漢', '😀', '\u2028', '\u007f', ' ', ' a '];

describe('What a batch writes', () => {
  it('is read back as it was given: titles, collections, values and patches of any text', async () => {
    const edits = awkward.flatMap((text, index) => [
      edit(`any-${index}`, 'A', 1, 0, create({ [text]: [text] }, text === '' ? 'none' : text, text)),
      edit(`any-${index}`, 'A', 2, 1, patch({ op: 'add', path: '/added', value: { [text]: text } })),
    ]);
    for (const verdict of await node.commit.push(world.editor, world.workspaceId, edits)) committed(verdict);
    for (const [index, text] of awkward.entries()) {
      const id = documentId(`any-${index}`);
      const read = await node.read.document(world.editor, world.workspaceId, id);
      expect(read).toMatchObject({ title: text, collection: text === '' ? 'none' : text, value: { [text]: [text], added: { [text]: text } } });
      const { rows: [newest] } = await node.read.history(world.editor, world.workspaceId, id, { first: 1, after: null });
      expect(newest?.row).toMatchObject({ collection: text === '' ? 'none' : text, patch: [{ value: { [text]: text } }] });
    }
  });

  it('is read back where ids read as something else', async () => {
    for (const id of ['NULL', 'null', 'true', '1', '-', '.', '~:']) {
      committed((await node.commit.push(world.editor, world.workspaceId, [edit(id, 'A', 1, 0, create({ id }), id)]))[0]);
      expect((await node.read.document(world.editor, world.workspaceId, documentId(id)))?.value).toEqual({ id });
    }
  });

  it('keeps JSON null apart from no value, for each document of a batch', async () => {
    const values: readonly JsonValue[] = [null, false, 0, '', [], {}, [null], 'null'];
    const edits = values.map((value, index) => edit(`value-${index}`, 'A', 1, 0, create(value)));
    for (const verdict of await node.commit.push(world.editor, world.workspaceId, edits)) committed(verdict);
    for (const [index, value] of values.entries()) expect((await node.read.document(world.editor, world.workspaceId, documentId(`value-${index}`)))?.value).toEqual(value);
  });

  it('goes to the workspace of each push where a batch has several', async () => {
    const other = 'w2' as WorkspaceId;
    // What waits behind the first push is one batch.
    const first = node.commit.push(world.editor, world.workspaceId, [edit('busy', 'A', 1, 0, create({}))]);
    const both = await Promise.all(
      [world.workspaceId, other].flatMap((workspaceId) =>
        awkward.map((text, index) => node.commit.push(world.editor, workspaceId, [edit(`both-${index}`, 'B', 1, 0, create({ workspaceId, text }, 'things', text))])),
      ),
    );
    committed((await first)[0]);
    for (const [verdict] of both) committed(verdict);
    for (const workspaceId of [world.workspaceId, other]) {
      for (const [index, text] of awkward.entries()) {
        expect(await node.read.document(world.editor, workspaceId, documentId(`both-${index}`))).toMatchObject({ title: text, value: { workspaceId, text } });
      }
    }
  });

  it('keeps a patch as it was sent where it was altered, and nothing where it was not', async () => {
    const verdicts = await node.commit.push(world.editor, world.workspaceId, [
      edit('sent', 'A', 1, 0, create({ list: ['a', 'b'] })),
      edit('sent', 'B', 1, 1, patch({ op: 'add', path: '/list/0', value: '"x\\' })),
      edit('sent', 'C', 1, 1, patch({ op: 'add', path: '/list/2', value: 'y' })),
    ]);
    for (const verdict of verdicts) committed(verdict);
    const { rows } = await world.sql.query<{ revision: string; patch: unknown; sent: unknown }>(`SELECT revision, patch, sent FROM changes WHERE document_id = 'sent' AND revision > 1 ORDER BY revision`);
    expect(rows.map(({ sent }) => sent)).toEqual([null, [{ op: 'insert', path: ['list', 2], value: 'y' }]]);
    expect(rows[1]!.patch).toEqual([{ op: 'insert', path: ['list', 3], value: 'y' }]);
    expect((await node.read.document(world.editor, world.workspaceId, documentId('sent')))?.value).toEqual({ list: ['"x\\', 'a', 'b', 'y'] });
  });
});
