import type { JsonValue } from '../json.js';
import type { NormalPatch } from '../operation.js';
import { plainApply } from '../test/plain-apply.js';

export interface Diamond {
  readonly document: JsonValue;
  readonly earlier: NormalPatch;
  readonly later: NormalPatch;
}

/** A diamond with operations left out, one by one, while it is still valid at its base and still fails. */
export const shrink = (diamond: Diamond, fails: (smaller: Diamond) => boolean): Diamond => {
  let smallest = diamond;
  for (let again = true; again; ) {
    again = false;
    for (const side of ['earlier', 'later'] as const) {
      for (let at = smallest[side].length - 1; at >= 0; at--) {
        const smaller = { ...smallest, [side]: smallest[side].filter((_, index) => index !== at) };
        if (isValid(smaller) && fails(smaller)) {
          smallest = smaller;
          again = true;
        }
      }
    }
  }
  return smallest;
};

const isValid = ({ document, earlier, later }: Diamond): boolean => {
  try {
    plainApply(document, earlier);
    plainApply(document, later);
    return true;
  } catch {
    return false;
  }
};
