import { loadSystem, type Endpoint, type SystemName, type WorkloadName } from './system.js';
import { loadWorkload, type Outcome, type Sizes } from './workload.js';

/** What the runner asks of a driver process, which does one thing and ends. */
export interface Order {
  readonly what: 'seed' | 'run';
  readonly system: SystemName;
  readonly workload: WorkloadName;
  readonly endpoint: Endpoint;
  readonly sizes: Sizes;
  readonly round: number;
  readonly folder: string;
}

export type Answer = { readonly ok: true; readonly outcome: Outcome | null } | { readonly ok: false; readonly error: string };

process.once('message', (message) => {
  void obey(message as Order).then(
    (outcome) => answer({ ok: true, outcome }),
    (error: unknown) => answer({ ok: false, error: error instanceof Error ? (error.stack ?? error.message) : JSON.stringify(error) }),
  );
});
// The runner is gone: nobody wants the answer.
process.on('disconnect', () => process.exit(1));

async function obey({ what, system: name, workload: workloadName, endpoint, sizes, round, folder }: Order): Promise<Outcome | null> {
  const [system, workload] = await Promise.all([loadSystem(name), loadWorkload(workloadName)]);
  if (what === 'seed') {
    await system.seed(endpoint, workload.documents(sizes, round));
    return null;
  }
  return await workload.run({ system, endpoint, sizes, round, folder });
}

function answer(message: Answer): void {
  process.send?.(message, () => process.exit(0));
}
