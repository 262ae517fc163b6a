import { parseArguments, UsageError, wholeNumber } from '../server/arguments.js';
import { systemNames, workloadNames, type SystemName, type WorkloadName } from './system.js';

export interface Arguments {
  readonly workloads: readonly WorkloadName[];
  readonly systems: readonly SystemName[];
  readonly quick: boolean;
  readonly rounds: number;
  /** After so long each system gets one round of what is left. */
  readonly minutes: number;
  /** Whether bench/RESULTS.md is written. */
  readonly report: boolean;
  /** Folder for CPU profiles of the servers and the drivers. */
  readonly profile: string | null;
  /** What a reader of the report should know about the circumstances. */
  readonly note: string | null;
}

export const usage = `Usage: npm run bench -- [options]        (after npm run build)

Measures Concord beside its peers. Every outcome is verified. The report keeps what was measured before of other systems and
workloads, so that peers can be measured apart:
  npm run bench -- --systems concord,concord-squash,sharedb,hocuspocus --rounds 2        about 6 minutes
Exit status: 0, 1 when a run failed, 2 for wrong arguments.

Options:
  --only W1,W3             workloads: ${workloadNames.join(', ')}
  --systems concord,rxdb   systems: ${systemNames.join(', ')}
  --rounds N               rounds of each, in turns (3; with --quick 1)
  --minutes N              after so long one round of what is left (20)
  --quick                  small sizes, to see that it works; writes no report
  --no-report              does not write bench/RESULTS.md
  --note TEXT              a line for the report, on what else the machine did
  --profile FOLDER         CPU profiles of servers and drivers, for one system and workload at a time
  --help                   this text
`;

/** @throws UsageError that says what is wrong. */
export function readArguments(given: readonly string[]): Arguments {
  const { values } = parseArguments({
    args: given,
    options: {
      only: { type: 'string' },
      systems: { type: 'string' },
      rounds: { type: 'string' },
      minutes: { type: 'string' },
      quick: { type: 'boolean' },
      'no-report': { type: 'boolean' },
      note: { type: 'string' },
      profile: { type: 'string' },
    },
  });
  const { only, systems, rounds, minutes = '20', note = null, profile = null } = values;
  const quick = values.quick === true;
  if (!(Number(minutes) > 0)) throw new UsageError(`--minutes needs a number above 0, not ${JSON.stringify(minutes)}.`);
  return {
    workloads: only === undefined ? workloadNames : namesIn('--only', only, workloadNames),
    systems: systems === undefined ? systemNames : namesIn('--systems', systems, systemNames),
    quick,
    rounds: rounds === undefined ? (quick ? 1 : 3) : wholeNumber('--rounds', rounds, 1, 99),
    minutes: Number(minutes),
    report: values['no-report'] !== true && !quick,
    profile,
    note,
  };
}

function namesIn<Name extends string>(option: string, given: string, known: readonly Name[]): readonly Name[] {
  const names = given.split(',').filter((name) => name !== '');
  const chosen = names.map((name) => {
    const found = known.find((candidate) => candidate.toLowerCase() === name.toLowerCase());
    if (found === undefined) throw new UsageError(`${option} needs some of ${known.join(', ')}, separated by commas, not ${JSON.stringify(name)}.`);
    return found;
  });
  if (chosen.length === 0) throw new UsageError(`${option} needs some of ${known.join(', ')}, separated by commas.`);
  return known.filter((name) => chosen.includes(name));
}
