import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { JsonValue, WirePatch } from '@concord/core';

export const driverProgram = process.env['SYNC_ENGINE_DRIVER'] ?? new URL('../build/test/driver', import.meta.url).pathname;

/** What sync_engine_event tells. */
export interface CEvent {
  readonly event: number;
  readonly document?: string;
  readonly status: string;
  readonly connection: number;
  /** What sync_engine_sync() answered within the callback. */
  readonly nested: string;
}

export interface CAnswer {
  readonly status: string;
  readonly message?: string;
  readonly result?: unknown;
}

export interface CDocument {
  readonly value: JsonValue;
  readonly title: string;
  readonly collection: string;
  readonly revision: number;
  readonly deleted: boolean;
  readonly pending: boolean;
}

/** A replica of the C library in a process of its own. */
export class CReplica {
  readonly events: CEvent[] = [];
  private readonly waiting: { answer: (line: CAnswer) => void; gone: (error: Error) => void }[] = [];
  private readonly watchers = new Set<() => void>();
  private errors = '';
  private readonly ended: Promise<number | null>;

  private constructor(private readonly process: ChildProcessWithoutNullStreams) {
    createInterface({ input: process.stdout }).on('line', (line) => this.hear(line));
    process.stderr.on('data', (text: Buffer) => (this.errors += text.toString()));
    this.ended = new Promise((resolve) => {
      process.on('close', (code) => {
        for (const { gone } of this.waiting.splice(0)) gone(new Error(`The driver ended (${code}): ${this.errors}`));
        resolve(code);
      });
    });
    process.stdin.on('error', () => undefined);
  }

  static open(database: string, url: string, token: string): CReplica {
    return new CReplica(spawn(driverProgram, [database, url, token]));
  }

  command(...words: readonly string[]): Promise<CAnswer> {
    return new Promise((answer, gone) => {
      this.waiting.push({ answer, gone });
      this.process.stdin.write(`${JSON.stringify(words)}\n`);
    });
  }

  /** A command that must succeed. */
  async must(...words: readonly string[]): Promise<unknown> {
    const { status, message, result } = await this.command(...words);
    if (status !== 'OK') throw new Error(`${words.join(' ')}: ${status}: ${message}`);
    return result;
  }

  create(id: string, value: JsonValue, title = ''): Promise<unknown> {
    return this.must('create', id, title, JSON.stringify(value));
  }

  patch(id: string, patch: WirePatch): Promise<unknown> {
    return this.must('patch', id, JSON.stringify(patch));
  }

  async get(id: string): Promise<CDocument> {
    return (await this.must('get', id)) as CDocument;
  }

  sync(): Promise<unknown> {
    return this.must('sync');
  }

  async info(): Promise<{ connection: number; lastStatus: string; pending: number; quarantined: number }> {
    return (await this.must('info')) as never;
  }

  async quarantine(): Promise<{ document: string; kind: string; code: string; payload: JsonValue }[]> {
    return (await this.must('quarantine')) as never;
  }

  /** Resolves once an event, told already or to come, passes. */
  heard(wanted: (event: CEvent) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!this.events.some(wanted)) return;
        this.watchers.delete(look);
        resolve();
      };
      this.watchers.add(look);
      look();
    });
  }

  /** Ends it in order: the engine is destroyed. Returns the exit status. */
  close(): Promise<number | null> {
    this.process.stdin.end();
    return this.ended;
  }

  /** As a crash would. */
  kill(): Promise<number | null> {
    this.process.kill('SIGKILL');
    return this.ended;
  }

  private hear(line: string): void {
    const message = JSON.parse(line) as CAnswer | CEvent;
    if ('event' in message) {
      this.events.push(message);
      for (const look of [...this.watchers]) look();
    } else {
      this.waiting.shift()?.answer(message);
    }
  }
}
