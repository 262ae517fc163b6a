import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A way to PostgreSQL that can be cut at will: what was sent arrives, the answers do not come back. */
export interface CuttableProxy {
  readonly url: string;
  /** From now on answers of the connections that are open are swallowed. Resolves with the first one. */
  holdAnswers(): Promise<void>;
  /** Breaks all connections and lets new ones through again. */
  breakAll(): void;
  close(): Promise<void>;
}

export async function openCuttableProxy(databaseUrl: string): Promise<CuttableProxy> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let holding = false;
  let swallowed = () => {};
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    const held = holding;
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(socket));
    }
    near.on('data', (data) => far.write(data));
    far.on('data', (data) => {
      if (!holding || held) near.write(data);
      else swallowed();
    });
    near.on('close', () => far.end());
    far.on('close', () => near.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(databaseUrl);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    holdAnswers() {
      holding = true;
      return new Promise<void>((resolve) => (swallowed = resolve));
    },
    breakAll() {
      holding = false;
      for (const socket of [...sockets]) socket.destroy();
    },
    async close() {
      for (const socket of [...sockets]) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
