/** Prints what a run was about: its seed, its counts. Part of what the tests promise, so not left to a debugger. */
export const report = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
