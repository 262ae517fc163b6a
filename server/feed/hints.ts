import type { Position, WorkspaceId } from '@concord/core';
import { setTimeout as delay } from 'node:timers/promises';
import type { Notifications } from '../notify.js';

export const feedChannel = 'concord_feed';

/** PostgreSQL takes payloads of up to 7,999 bytes. */
const payloadBytes = 7500;

/**
 * Tells the other nodes that workspaces have moved: the first at once, then coalesced, one on the way at a time, and outside the
 * committing transaction (NOTIFY takes a global lock at commit). Where no other node is there, nobody is told. A hint that is lost is
 * healed by the poll.
 */
export class Hints {
  private readonly moved = new Map<WorkspaceId, Position>();
  private sending: Promise<void> | undefined;
  private readonly stop: (() => void)[];

  constructor(
    private readonly notify: Notifications,
    onHint: (workspaceId: WorkspaceId, position: Position) => void,
    onGap: () => void,
  ) {
    this.stop = [
      notify.subscribe(feedChannel, (payload) => {
        for (const [workspaceId, position] of readHint(payload)) onHint(workspaceId, position);
      }),
      notify.onGap(onGap),
    ];
  }

  tell(workspaceId: WorkspaceId, position: Position): void {
    if (this.notify.alone) return;
    this.moved.set(workspaceId, position);
    this.sending ??= this.send();
  }

  async close(): Promise<void> {
    for (const stop of this.stop) stop();
    await this.sending;
  }

  private async send(): Promise<void> {
    while (this.moved.size > 0) {
      const parts: string[] = [];
      let bytes = 2;
      for (const [workspaceId, position] of this.moved) {
        const part = `${JSON.stringify(workspaceId)}:${position}`;
        if (bytes + part.length + 1 > payloadBytes) break;
        bytes += part.length + 1;
        parts.push(part);
        this.moved.delete(workspaceId);
      }
      await this.notify.publish(feedChannel, `{${parts.join()}}`);
      if (this.notify.pauseMs > 0) await delay(this.notify.pauseMs, undefined, { ref: false });
    }
    this.sending = undefined;
  }
}

function readHint(payload: string): [WorkspaceId, Position][] {
  try {
    const parsed: unknown = JSON.parse(payload);
    return typeof parsed === 'object' && parsed !== null ? (Object.entries(parsed) as [WorkspaceId, Position][]) : [];
  } catch {
    return [];
  }
}
