import { ConcordError, type DocumentId } from '@concord/core';
import { shown } from './condition.js';

/*
 * What callers hand to a call, where types do not hold: from JavaScript, from a form, from a route.
 */

/** An id to look for: any text. What no document can have as its id is just not found. @throws ConcordError INPUT_INVALID. */
export function idOf(id: unknown): DocumentId {
  if (typeof id === 'string') return id as DocumentId;
  throw new ConcordError('INPUT_INVALID', `An id is a text; got ${shown(id)}.`, { path: '/id' });
}

/** @throws ConcordError INPUT_INVALID. */
export function checkListener(listener: unknown): void {
  if (typeof listener !== 'function') throw new ConcordError('INPUT_INVALID', `A listener is a function; got ${shown(listener)}.`, { path: '/listener' });
}

/** @throws ConcordError INPUT_INVALID. */
export function checkCollectionName(name: unknown): void {
  if (typeof name === 'string' && name.length >= 1 && name.length <= 256) return;
  throw new ConcordError('INPUT_INVALID', `The name of a collection is a text of 1 to 256 characters; got ${shown(name)}.`, { path: '/collection' });
}
