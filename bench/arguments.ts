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
  --help                   this text`;

/** The arguments; 'help'; or what is wrong with them. */
export function readArguments(given: readonly string[]): Arguments | string {
  let workloads: readonly WorkloadName[] = workloadNames;
  let systems: readonly SystemName[] = systemNames;
  let quick = false;
  let rounds: number | undefined;
  let minutes = 20;
  let report = true;
  let profile: string | null = null;
  let note: string | null = null;
  const rest = [...given];
  while (rest.length > 0) {
    const name = rest.shift()!;
    const value = (): string | undefined => rest.shift();
    switch (name) {
      case '--help':
      case '-h':
        return 'help';
      case '--quick':
        quick = true;
        break;
      case '--no-report':
        report = false;
        break;
      case '--only': {
        const chosen = namesIn(value(), workloadNames);
        if (typeof chosen === 'string') return `--only: ${chosen}`;
        workloads = chosen;
        break;
      }
      case '--systems': {
        const chosen = namesIn(value(), systemNames);
        if (typeof chosen === 'string') return `--systems: ${chosen}`;
        systems = chosen;
        break;
      }
      case '--rounds': {
        rounds = Number(value());
        if (!Number.isInteger(rounds) || rounds < 1 || rounds > 99) return '--rounds: give a whole number from 1 to 99.';
        break;
      }
      case '--minutes':
        minutes = Number(value());
        if (!(minutes > 0)) return '--minutes: give a number above 0.';
        break;
      case '--note':
        note = value() ?? null;
        if (note === null) return '--note: give a text.';
        break;
      case '--profile':
        profile = value() ?? null;
        if (profile === null) return '--profile: give a folder.';
        break;
      default:
        return `Unknown argument: ${name}`;
    }
  }
  return { workloads, systems, quick, rounds: rounds ?? (quick ? 1 : 3), minutes, report: report && !quick, profile, note };
}

function namesIn<Name extends string>(given: string | undefined, known: readonly Name[]): readonly Name[] | string {
  const names = (given ?? '').split(',').filter((name) => name !== '');
  if (names.length === 0) return `give some of ${known.join(', ')}, separated by commas.`;
  const chosen: Name[] = [];
  for (const name of names) {
    const found = known.find((candidate) => candidate.toLowerCase() === name.toLowerCase());
    if (found === undefined) return `there is no ${name}; give some of ${known.join(', ')}.`;
    chosen.push(found);
  }
  return known.filter((name) => chosen.includes(name));
}
