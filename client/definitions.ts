import { ConcordError, noDefinition, parseDefinition, type CollectionDefinition, type Definition } from '@concord/core';

/** What the app has declared of its collections; one declaration for a name. */
export class Definitions {
  private readonly byName = new Map<string, Definition>();

  /** @throws ConcordError INPUT_INVALID for what is no definition, or another than was declared before; POINTER_INVALID. */
  declare(name: string, definition: CollectionDefinition): void {
    const parsed = parseDefinition(definition);
    if (!parsed.ok) throw new ConcordError(parsed.error.code, `The definition of the collection ${name}: ${parsed.error.message}.`, { ...(parsed.error.path === undefined ? {} : { path: parsed.error.path }) });
    const known = this.byName.get(name);
    if (known !== undefined && known.digest !== parsed.value.digest) {
      throw new ConcordError('INPUT_INVALID', `The collection ${name} was declared otherwise before: two definitions would let the same edit merge in two ways. Declare it once, and call collection('${name}') without a definition elsewhere.`);
    }
    this.byName.set(name, parsed.value);
  }

  of(name: string): Definition {
    return this.byName.get(name) ?? noDefinition;
  }
}
