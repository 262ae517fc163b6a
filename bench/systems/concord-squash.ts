import { ConcordWriter } from '../concord-writer.js';
import type { System } from '../system.js';
import { concordReplica, system as concord } from './concord.js';

/** Concord where the client folds what was not yet sent, as the replica does by default. */
export const system: System = {
  ...concord,
  title: 'Concord, squashing',
  workloads: ['W1p', 'W5'],
  writer: (endpoint, id) => ConcordWriter.open(endpoint, id, { squash: true }),
  replica: concordReplica({ squashFrom: 2 }),
};
