import { ConcordError, checkValue } from '@concord/core';

const maxNameLength = 256;

/** The database holds no U+0000 and no lone surrogate. @throws ConcordError INPUT_INVALID. */
export function checkName(name: string, min: number, argument = 'name'): string {
  const problem =
    name.length < min || name.length > maxNameLength
      ? `${argument} must have ${min} to ${maxNameLength} characters, this one has ${name.length}`
      : !checkValue(name).ok
        ? `${argument} contains U+0000 or a lone surrogate`
        : null;
  if (problem === null) return name;
  throw new ConcordError('INPUT_INVALID', `${problem}.`, { path: `/${argument}`, limit: maxNameLength, actual: name.length });
}
