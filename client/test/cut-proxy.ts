import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A TCP proxy before the server that can lose what the server answers, or cut everything. */
export class CutProxy {
  private readonly pairs = new Set<readonly [Socket, Socket]>();
  private deaf = false;

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async before(url: string): Promise<CutProxy> {
    const target = new URL(url);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = new URL(url);
    address.port = String((server.address() as AddressInfo).port);
    const proxy = new CutProxy(server, address.href);
    server.on('connection', (near) => proxy.join(near, connect(Number(target.port), target.hostname)));
    return proxy;
  }

  /** From now on requests go through and answers are lost. */
  loseAnswers(): void {
    this.deaf = true;
  }

  /** Cuts all connections; new ones work normally. */
  cut(): void {
    this.deaf = false;
    for (const pair of this.pairs) for (const socket of pair) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private join(near: Socket, far: Socket): void {
    const pair = [near, far] as const;
    this.pairs.add(pair);
    near.on('data', (bytes) => far.write(bytes));
    far.on('data', (bytes) => {
      if (!this.deaf) near.write(bytes);
    });
    for (const socket of pair) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.pairs.delete(pair);
        for (const other of pair) other.destroy();
      });
    }
  }
}
