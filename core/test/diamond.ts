import type { JsonValue } from '../json.js';
import type { NormalPatch } from '../operation.js';
import type { Observe } from '../transform/grid.js';
import { transformBoth } from '../transform/transform.js';
import { canonicalJson } from '../value.js';
import { plainApply } from './plain-apply.js';

/** Throws unless both orders of the two patches end in the same document; gives that document. */
export const diamond = (document: JsonValue, earlier: NormalPatch, later: NormalPatch, observe?: Observe): JsonValue => {
  const both = transformBoth(earlier, later, observe);
  if (!both.ok) throw new Error(both.error.message);
  const left = plainApply(document, earlier, both.value.later);
  const right = plainApply(document, later, both.value.earlier);
  if (canonicalJson(left) !== canonicalJson(right)) {
    throw new Error(
      `The diamond does not close.\ndocument ${JSON.stringify(document)}\nearlier ${JSON.stringify(earlier)}\nlater ${JSON.stringify(later)}\n` +
        `earlier first: ${JSON.stringify(left)}\nlater first: ${JSON.stringify(right)}`,
    );
  }
  return left;
};
