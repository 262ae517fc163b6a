import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/**
 * A balancer of TCP connections as simple as one can be: each new connection goes to the next server in turn, and past a server
 * that refuses it to the one after. It knows nothing of HTTP, sessions or health.
 */
export class Balancer {
  private readonly sockets = new Set<Socket>();
  private turn = 0;
  private readonly server = createServer((near) => {
    this.keep(near);
    this.join(near, this.ports.length);
  });

  private constructor(private ports: readonly number[]) {}

  /** In front of these GraphQL endpoints on this machine. */
  static async before(urls: readonly string[]): Promise<Balancer> {
    const balancer = new Balancer(urls.map((url) => Number(new URL(url).port)));
    await new Promise<void>((resolve) => balancer.server.listen(0, '127.0.0.1', resolve));
    return balancer;
  }

  /** Of the GraphQL endpoint behind it. */
  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/graphql`;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private join(near: Socket, tries: number): void {
    if (tries === 0 || near.destroyed) return void near.destroy();
    const far = this.keep(connect(this.ports[this.turn++ % this.ports.length]!, '127.0.0.1'));
    const refused = () => this.join(near, tries - 1);
    far.once('error', refused);
    far.once('connect', () => {
      far.off('error', refused);
      near.pipe(far).pipe(near);
      near.once('close', () => far.destroy());
      far.once('close', () => near.destroy());
    });
  }

  private keep(socket: Socket): Socket {
    this.sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => this.sockets.delete(socket));
    return socket;
  }
}
