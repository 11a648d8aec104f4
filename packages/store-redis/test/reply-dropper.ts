import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A way to a server that can lose its replies: what was sent is carried out, and nobody hears of it. */
export class ReplyDropper {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;
  /** Cuts the connection instead of passing on the next replies, so many times. */
  dropNext = 0;
  dropped = 0;

  private constructor(server: Server, sockets: Set<Socket>) {
    this.#server = server;
    this.#sockets = sockets;
    this.port = (server.address() as { port: number }).port;
  }

  static async start(targetPort: number): Promise<ReplyDropper> {
    const sockets = new Set<Socket>();
    let dropper: ReplyDropper | undefined;
    const server = createServer((client) => {
      const target = connect(targetPort, '127.0.0.1');
      for (const socket of [client, target]) {
        sockets.add(socket);
        socket.on('error', () => {});
        socket.on('close', () => {
          sockets.delete(socket);
          client.destroy();
          target.destroy();
        });
      }
      client.on('data', (chunk) => target.write(chunk));
      target.on('data', (chunk) => {
        if (dropper !== undefined && dropper.dropNext > 0) {
          dropper.dropNext -= 1;
          dropper.dropped += 1;
          client.destroy();
        } else client.write(chunk);
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    dropper = new ReplyDropper(server, sockets);
    return dropper;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  async dispose(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
