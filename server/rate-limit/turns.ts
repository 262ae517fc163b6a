/** Work that takes a turn of the event loop for itself goes on for at most so long before it asks for the next. */
export const maxTurnMs = 5;

/**
 * Long work, one piece a turn of the event loop: however many callers bring some at once, whoever waits for something short waits
 * for one piece and not for all of them.
 */
export class Turns {
  private readonly waiting: (() => void)[] = [];
  private scheduled = false;

  /** Resolves in a turn in which nobody else was given one. */
  take(): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      this.schedule();
    });
  }

  private schedule(): void {
    if (this.scheduled || this.waiting.length === 0) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.waiting.shift()?.();
      // Asked for before the work begins, it comes after what has arrived during it.
      this.schedule();
    });
  }
}

/** For work in a loop: `undefined` while it may go on in this turn, else what to wait for. */
export function paced(turns: Turns): () => Promise<void> | undefined {
  let since = performance.now();
  return () => {
    if (performance.now() - since < maxTurnMs) return undefined;
    return turns.take().then(() => {
      since = performance.now();
    });
  };
}
