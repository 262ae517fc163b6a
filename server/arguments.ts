import { parseArgs, type ParseArgsConfig } from 'node:util';

/** The arguments of a command are wrong: the message says which and what was expected. */
export class UsageError extends Error {}

/**
 * What `read` makes of the arguments of this process. Otherwise the usage has been told and the command ends with `status`: on
 * standard output and 0 where it was asked for, on standard error and 2 after the message of a UsageError.
 */
export function readCommandLine<Command>(
  usage: string,
  read: (args: readonly string[]) => Command,
  args: readonly string[] = process.argv.slice(2),
): { readonly command: Command } | { readonly status: 0 | 2 } {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(usage);
    return { status: 0 };
  }
  try {
    return { command: read(args) };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n\n${usage}`);
    return { status: 2 };
  }
}

type Given = Omit<ParseArgsConfig, 'args'> & { readonly args: readonly string[] };

/** `parseArgs` of Node, with messages in one style, and negative numbers as values. @throws UsageError. */
export function parseArguments<Config extends Given>(config: Config): ReturnType<typeof parseArgs<Omit<Config, 'args'>>> {
  const { args, options = {}, allowPositionals = false }: Given = config;
  const { values, positionals, tokens } = parseArgs({ args: [...args], options, allowPositionals: true, strict: false, tokens: true });
  for (const token of tokens) {
    if (token.kind === 'positional' && !allowPositionals) throw new UsageError(`Unknown argument: ${token.value}`);
    if (token.kind !== 'option') continue;
    const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
    if (option === undefined) throw new UsageError(`Unknown argument: ${token.rawName}`);
    if (option.type === 'boolean' && token.value !== undefined) throw new UsageError(`${token.rawName} takes no value.`);
    // A dash before anything but a number is the next option, and the value of this one was forgotten.
    const forgotten = token.value === undefined || token.value === '' || (!token.inlineValue && /^-(?!\d)/.test(token.value));
    if (option.type === 'string' && forgotten) throw new UsageError(`${token.rawName} needs a value.`);
  }
  // Checked above, as a strict parse would.
  return { values, positionals } as unknown as ReturnType<typeof parseArgs<Omit<Config, 'args'>>>;
}

/** @throws UsageError that tells the range. */
export function wholeNumber(option: string, given: string, least: number, most: number): number {
  const value = /^\d+$/.test(given) ? Number(given) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new UsageError(`${option} needs a whole number from ${least} to ${most}, not ${JSON.stringify(given)}.`);
}
