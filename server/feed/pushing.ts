/** A source that can hand over what is due without being asked for each. */
export interface Pushing<Event> {
  /**
   * From now on what becomes due while a `next` waits is given to `take`, at once and in order. What `take` refuses (false) is the
   * result of that `next`. Nothing is given to `take` while no `next` waits. A `next` that would have to read something first
   * waits for what `room` returns, so that nothing is made for a reader that has not taken the last.
   */
  pushTo(take: (event: Event) => boolean, room?: () => Promise<void> | undefined): void;
}

export const canPush = <Event>(source: AsyncIterator<Event>): source is AsyncIterator<Event> & Pushing<Event> => 'pushTo' in source;
