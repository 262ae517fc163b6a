import { expect, it } from 'vitest';
import { atHead, create, openWorld } from './engine-world.js';
import { postgresUrl } from './postgres-url.js';

it('An edit does not wait for all the pushes that another principal has sent before it', async () => {
  const world = await openWorld(postgresUrl());
  const node = await world.node();
  await world.sql.query(`INSERT INTO memberships (workspace_id, principal_id, role) VALUES ('w1', 'str', 'EDITOR')`);
  let done = 0;
  const many = Array.from({ length: 30 }, (_, push) =>
    node.commit
      .push(world.editor, world.workspaceId, Array.from({ length: 300 }, (_one, edit) => atHead(`many-${push}-${edit}`, create({ n: edit }))))
      .then(() => (done += 1)),
  );
  await many[0];
  await node.commit.push(world.stranger, world.workspaceId, [atHead('one', create({ n: 1 }))]);
  // Those that were under way, and a few that came to their turn meanwhile.
  expect(done).toBeLessThan(10);
  await Promise.all(many);
  await world.close();
});
