import pg from 'pg';
import { documentOf } from './documents.js';

const documents = 1_000;
const content = documentOf('d');

const tables = `
CREATE TABLE documents (id text PRIMARY KEY, content jsonb NOT NULL, version bigint NOT NULL) WITH (fillfactor = 70);
CREATE TABLE changes (document text NOT NULL, version bigint NOT NULL, patch jsonb NOT NULL, PRIMARY KEY (document, version));
INSERT INTO documents SELECT 'd' || n, $content$${JSON.stringify(content)}$content$, 1 FROM generate_series(0, ${documents - 1}) AS n;
ANALYZE documents`;

const statement = `
WITH moved AS (
  UPDATE documents SET content = r.content, version = documents.version + 1
  FROM jsonb_to_recordset($1::jsonb) AS r(id text, content jsonb, patch jsonb)
  WHERE documents.id = r.id
  RETURNING documents.id, documents.version, r.patch
)
INSERT INTO changes (document, version, patch) SELECT id, version, patch FROM moved`;

export interface Recordset {
  /** Commits so many patches, each of another document, as one statement and transaction. */
  commit(patches: number): Promise<void>;
}

/**
 * The least that makes patches durable: one named statement with one JSON parameter, a document of about 600 B and a row of the
 * log for each. Makes its tables in an empty database, over one connection.
 */
export async function openRecordset(connectionString: string): Promise<Recordset> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  await client.query(tables);
  let made = 0;
  return {
    async commit(patches) {
      const rows = Array.from({ length: patches }, () => {
        const id = `d${made++ % documents}`;
        return { id, content: { ...content, views: made }, patch: [{ op: 'replace', path: '/views', value: made }] };
      });
      const { rowCount } = await client.query({ name: 'recordset', text: statement, values: [JSON.stringify(rows)] });
      if (rowCount !== patches) throw new Error(`The recordset statement logged ${rowCount ?? 0} of ${patches} patches.`);
    },
  };
}
