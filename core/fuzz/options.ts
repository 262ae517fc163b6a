/** `--name value` pairs of the command line as numbers; a name without a value, or unknown, ends the program with usage. */
export const numbersOf = <Name extends string>(
  usage: string,
  defaults: Readonly<Record<Name, number>>,
): Readonly<Record<Name, number>> => {
  const options: Record<Name, number> = { ...defaults };
  const words = process.argv.slice(2);
  for (let at = 0; at < words.length; at += 2) {
    const name = (words[at] ?? '').replace(/^--/, '') as Name;
    const value = Number(words[at + 1]);
    if (!Object.hasOwn(defaults, name) || Number.isNaN(value)) {
      process.stderr.write(`${usage}\n`);
      process.exit(2);
    }
    options[name] = value;
  }
  return options;
};
