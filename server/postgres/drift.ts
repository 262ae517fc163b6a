import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { findPrismaFolder, migrationsList, readMigrations } from './migrate.js';
import { withSchemaEngine } from './schema-engine.js';

const noFilter = { externalTables: [], externalEnums: [] };

/**
 * What is missing between the migrations and schema.prisma, as SQL; empty when they agree. The connection must be to an empty
 * database, which the schema engine uses as its shadow. `edit` may change the schema before it is compared.
 */
export async function findDrift(emptyDatabaseUrl: string, edit: (schema: string) => string = (schema) => schema): Promise<string> {
  const prismaFolder = await findPrismaFolder();
  const schema = edit(await readFile(path.join(prismaFolder, 'schema.prisma'), 'utf8'));
  const { stdout } = await withSchemaEngine({ connectionString: emptyDatabaseUrl, schema }, async (engine) =>
    engine.diff({
      from: { tag: 'migrations', ...migrationsList(prismaFolder, await readMigrations(prismaFolder)) },
      to: { tag: 'schemaDatamodel', files: [{ path: 'schema.prisma', content: schema }] },
      script: true,
      exitCode: null,
      filters: noFilter,
    }),
  );
  const script = (stdout ?? '').trim();
  return script === '-- This is an empty migration.' ? '' : script;
}
