import { serveShareDb, system as onPostgres } from './sharedb.js';
import type { System } from '../system.js';

export const system: System = {
  ...onPostgres,
  title: 'ShareDB in memory',
  acknowledged: 'in memory',
  packages: ['sharedb', 'ot-json0'],
  postgres: false,
  serve: () => serveShareDb(null),
};
