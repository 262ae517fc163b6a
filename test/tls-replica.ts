import { HistoryDocument, openReplica } from '@concord/client';

// A program of its own, because Node reads NODE_EXTRA_CA_CERTS when it starts: `tls-replica.ts <url>`, the token in TOKEN.
// One line on standard output: what came back over wss and over https, or what the replica says is wrong.
const replica = await openReplica({ url: process.argv[2] ?? '', token: process.env['TOKEN'] ?? '', database: ':memory:' });
const refused = new Promise<string>((resolve) => {
  replica.onStatus(({ lastError }) => {
    if (lastError !== null) resolve(`${lastError.code}: ${lastError.message}`);
  });
});
const synced = (async () => {
  replica.collection('notes').create({ n: 1 }, { id: 'over-tls' });
  await replica.settled();
  const { data, error } = await replica.client.query(HistoryDocument, { documentId: 'over-tls' }).toPromise();
  return `synced, ${data?.history.nodes.length ?? error?.message ?? 'no'} in its history`;
})();
synced.catch(() => undefined);
process.stdout.write(`${await Promise.race([synced, refused])}\n`);
await replica.close();
