import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { DOCUMENT, LIVE, compactAll, edit, newId, openC, server } from './world.js';

it('every operation of the library is among the trusted documents: it works with a server that runs nothing else', async () => {
  const trusted = Object.values(JSON.parse(readFileSync(new URL('../../schema/trusted-documents.json', import.meta.url), 'utf8')) as Record<string, string>);
  for (const beginning of ['query Pull(', 'query Snapshot(', 'query Document(', 'mutation Push(', 'subscription Live(']) {
    expect(trusted.some((text) => text.startsWith(beginning)), beginning).toBe(true);
  }
  const id = newId();
  await server.restart({ trustedDocuments: { file: null, only: true } });
  expect((await server.graphql('{ workspaces { id } }')).errors[0]?.extensions['code']).toBe('PERSISTED_QUERY_ONLY');
  const [one, two] = [openC(), openC()];
  await one.create(id, { n: 1 });
  await one.sync();
  await two.must('start');
  await two.heard(({ connection }) => connection === LIVE);
  await one.patch(id, [{ op: 'inc', path: '/n', value: 1 }]);
  await one.sync();
  await two.heard(({ event, document }) => event === DOCUMENT && document === id);
  await expect.poll(async () => (await two.get(id)).value).toEqual({ n: 2 });
  // Its cursor has expired: it takes a snapshot.
  await two.must('stop');
  await one.patch(id, [{ op: 'inc', path: '/n', value: 1 }]);
  await one.sync();
  await compactAll();
  await two.sync();
  expect((await two.get(id)).value).toEqual({ n: 3 });

  await server.restart();
  await edit(id, [{ op: 'inc', path: '/n', value: 1 }]);
  await one.sync();
  expect((await one.get(id)).value).toEqual({ n: 4 });
});
