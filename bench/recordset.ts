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
WITH heads AS (
  UPDATE documents SET content = h.content, version = documents.version + h.patches
  FROM jsonb_to_recordset($1::jsonb -> 'h') AS h(id text, content jsonb, patches int)
  WHERE documents.id = h.id
  RETURNING documents.id, documents.version - h.patches AS start
)
INSERT INTO changes (document, version, patch)
SELECT c.id, heads.start + c.o, c.patch FROM jsonb_to_recordset($1::jsonb -> 'c') AS c(id text, o int, patch jsonb) JOIN heads ON heads.id = c.id`;

export interface Recordset {
  /** Commits so many patches, spread over so many documents, as one statement and transaction. */
  commit(patches: number, over: number): Promise<void>;
}

/**
 * The least that makes patches durable: one named statement with one JSON parameter, each document of about 600 B written once and a
 * row of the log for each patch. Makes its tables in an empty database, over one connection.
 */
export async function openRecordset(connectionString: string): Promise<Recordset> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  await client.query(tables);
  let made = 0;
  return {
    async commit(patches, over) {
      const first = made;
      const heads = new Map<string, { id: string; content: object; patches: number }>();
      const changes = Array.from({ length: patches }, (_, index) => {
        const id = `d${(first + (index % over)) % documents}`;
        const ordinal = (heads.get(id)?.patches ?? 0) + 1;
        made++;
        heads.set(id, { id, content: { ...content, views: made }, patches: ordinal });
        return { id, o: ordinal, patch: [{ op: 'replace', path: '/views', value: made }] };
      });
      const { rowCount } = await client.query({ name: 'recordset', text: statement, values: [JSON.stringify({ h: [...heads.values()], c: changes })] });
      if (rowCount !== patches) throw new Error(`The recordset statement logged ${rowCount ?? 0} of ${patches} patches.`);
    },
  };
}
