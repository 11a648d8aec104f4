import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ConfigError } from '@synapsekit/core';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const host = '127.0.0.1';

/** A loopback port that can be closed and opened again, so that clients are refused in between. */
export class Listener {
  readonly #handler: Handler;
  /** Servers that are closed to new connections still serve the requests they have. */
  readonly #servers: Set<Server> = new Set();
  #current: Server | undefined;
  #port = 0;
  #closed = false;

  constructor(handler: Handler) {
    this.#handler = handler;
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `http://${host}:${this.#port}`;
  }

  /**
   * Opens the port; after `close` it does nothing.
   *
   * @throws ConfigError when the port cannot be had.
   */
  async open(port: number = this.#port): Promise<void> {
    if (this.#closed) return;
    const server = createServer((request, response) => {
      // A connection from before the closing must not stay a way in.
      if (this.#current !== server) request.socket.destroy();
      else this.#handler(request, response);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) => {
        const message = `Port ${port} on ${host} cannot be opened (${cause.message}). Take another one, or 0 for any free one.`;
        reject(new ConfigError(message, { option: 'port', cause }));
      });
      // The backlog holds a burst of a thousand clients that connect at once.
      server.listen({ port, host, backlog: 4_096 }, resolve);
    });
    this.#port = (server.address() as AddressInfo).port;
    this.#current = server;
    this.#servers.add(server);
    server.once('close', () => this.#servers.delete(server));
  }

  /** Refuses new connections from now on. Running requests go on. */
  shut(): void {
    this.#current?.close();
    this.#current = undefined;
  }

  /** Refuses new connections and breaks the running ones. Resolves when everything is closed. */
  async close(): Promise<void> {
    this.#closed = true;
    this.shut();
    const closed = [...this.#servers].map(
      (server) => new Promise((resolve) => server.once('close', resolve)),
    );
    for (const server of this.#servers) server.closeAllConnections();
    await Promise.all(closed);
  }
}
