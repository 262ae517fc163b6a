import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { PrismaPg } from '@prisma/adapter-pg';
import { ColumnTypeEnum, bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import type { SchemaEngine } from '@prisma/schema-engine-wasm';
import pg from 'pg';

const glueName = '@prisma/schema-engine-wasm/schema_engine_bg';

interface EngineGlue {
  readonly SchemaEngine: typeof SchemaEngine;
  __wbg_set_wasm(exports: unknown): void;
}

/** The slice of the WebAssembly interface used here; the ES2023 library declares none. */
const { WebAssembly: assembly } = globalThis as unknown as {
  readonly WebAssembly: {
    instantiate(bytes: Uint8Array, imports: Record<string, object>): Promise<{ readonly instance: { readonly exports: { __wbindgen_start(): void } } }>;
  };
};

let glue: Promise<EngineGlue> | undefined;

/** Loaded by hand: the package imports its .wasm as a module, which Node allows only behind a flag. */
async function loadGlue(): Promise<EngineGlue> {
  const file = createRequire(import.meta.url).resolve(glueName);
  const [imported, bytes] = await Promise.all([
    import(glueName) as Promise<EngineGlue>,
    readFile(path.join(path.dirname(file), 'schema_engine_bg.wasm')),
  ]);
  const { instance } = await assembly.instantiate(bytes, { './schema_engine_bg.js': imported });
  imported.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
  return imported;
}

const internalChar = 18;
const blankPaddedChar = 1042;

/** For the rows of a result: which of its columns are of PostgreSQL's internal type "char". */
const charColumns = new WeakMap<object, readonly number[]>();

/**
 * The engine describes a database from system tables with columns of the internal type "char", which Prisma's adapter does not
 * know. They pass it as another type; `Adapter` gives them their own again.
 */
class DescribablePool extends pg.Pool {
  override query = (async (...args: unknown[]) => {
    const ask = super.query.bind(this) as unknown as (...given: unknown[]) => Promise<pg.QueryResult>;
    const result = await ask(...args);
    const found = (result.fields ?? []).flatMap((field, index) => (field.dataTypeID === internalChar ? [index] : []));
    for (const index of found) Object.assign(result.fields[index] ?? {}, { dataTypeID: blankPaddedChar });
    if (found.length > 0) charColumns.set(result.rows, found);
    return result;
  }) as unknown as pg.Pool['query'];
}

/** Takes the database itself as the shadow database: Prisma's adapter would take it too by mistake, and then drop another. */
class Adapter extends PrismaPg {
  constructor(private readonly newPool: () => pg.Pool) {
    super(newPool());
  }

  override async connect() {
    const connection = await super.connect();
    const queryRaw = connection.queryRaw.bind(connection);
    connection.queryRaw = async (query) => {
      const result = await queryRaw(query);
      const found = charColumns.get(result.rows) ?? [];
      return { ...result, columnTypes: result.columnTypes.map((type, index) => (found.includes(index) ? ColumnTypeEnum.Character : type)) };
    };
    return connection;
  }

  override connectToShadowDb() {
    return new Adapter(this.newPool).connect();
  }
}

/** Prisma's schema engine in its WebAssembly build, on a database. `schema` is the text of schema.prisma, needed only to compare with it. */
export async function withSchemaEngine<T>(
  options: { readonly connectionString: string; readonly schema?: string },
  work: (engine: SchemaEngine) => Promise<T>,
): Promise<T> {
  const { SchemaEngine: Engine } = await (glue ??= loadGlue());
  // The engine never ends its connections.
  const pools: pg.Pool[] = [];
  const newPool = () => {
    const pool = new DescribablePool({ connectionString: options.connectionString, max: 2 });
    pools.push(pool);
    return pool;
  };
  try {
    const engine = await Engine.new(
      { datamodels: options.schema === undefined ? undefined : [['schema.prisma', options.schema]] },
      () => undefined,
      bindMigrationAwareSqlAdapterFactory(new Adapter(newPool)),
    );
    try {
      return await work(engine);
    } finally {
      engine.free();
    }
  } finally {
    await Promise.all(pools.map((pool) => pool.end()));
  }
}
