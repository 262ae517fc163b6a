import { Agent, request, type ClientRequestArgs } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** Keeps HTTP connections open and counts the bytes that go through them, headers and compression as they are. */
export class CountingAgent extends Agent {
  private readonly connections: Socket[] = [];
  private before = { sent: 0, received: 0 };

  constructor() {
    super({ keepAlive: true });
  }

  override createConnection(options: ClientRequestArgs, callback?: (error: Error | null, stream: Duplex) => void): Duplex {
    const socket = super.createConnection(options, callback) as Socket;
    this.connections.push(socket);
    return socket;
  }

  /** Since the last `reset`. */
  bytes(): { readonly sent: number; readonly received: number } {
    const { sent, received } = this.total();
    return { sent: sent - this.before.sent, received: received - this.before.received };
  }

  reset(): void {
    this.before = this.total();
  }

  private total(): { readonly sent: number; readonly received: number } {
    return this.connections.reduce((sum, { bytesWritten, bytesRead }) => ({ sent: sum.sent + bytesWritten, received: sum.received + bytesRead }), { sent: 0, received: 0 });
  }
}

/** A POST of JSON through the agent. */
export function post(url: string, headers: Headers, body: string, agent: Agent): Promise<Response> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', headers: { ...Object.fromEntries(headers), 'content-length': Buffer.byteLength(body) }, agent }, (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.on('error', reject);
      answer.on('end', () => resolve(new Response(Buffer.concat(parts), { status: answer.statusCode ?? 0 })));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
