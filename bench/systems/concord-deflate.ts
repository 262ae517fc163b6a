import { ConcordWriter } from '../concord-writer.js';
import type { System } from '../system.js';
import { concordReplica, system as concord } from './concord.js';

/** Concord with permessage-deflate, which its client offers by default. */
export const system: System = {
  ...concord,
  title: 'Concord, compressing',
  workloads: ['W1p', 'W2', 'W4', 'W5', 'W6'],
  writer: (endpoint, id) => ConcordWriter.open(endpoint, id, { compressed: true }),
  replica: concordReplica({ compressed: true }),
};
