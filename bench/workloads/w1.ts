import { acknowledgedEdits } from '../acknowledged-edits.js';
import type { Workload } from '../workload.js';

export const workload: Workload = {
  name: 'W1',
  title: 'clients, each on its own document, sequential acknowledged edits',
  seedEachRound: true,
  documents: ({ clients }, round) => Array.from({ length: clients }, (_, client) => `own-${round}-${client}`),
  run: (run) => acknowledgedEdits(run, workload.documents(run.sizes, run.round), 1),
};
