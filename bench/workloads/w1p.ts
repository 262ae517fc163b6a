import { acknowledgedEdits } from '../acknowledged-edits.js';
import type { Workload } from '../workload.js';

export const workload: Workload = {
  name: 'W1p',
  title: 'clients, each on its own document, edits with many in flight',
  seedEachRound: true,
  documents: ({ clients }, round) => Array.from({ length: clients }, (_, client) => `flight-${round}-${client}`),
  run: (run) => acknowledgedEdits(run, workload.documents(run.sizes, run.round), run.sizes.inFlight),
};
