import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** What the server itself computed, and how often it ran scripts. */
export interface ServerWork {
  /** Microseconds of processor time, of all its threads. */
  readonly cpuUs: number;
  /** Microseconds that scripts took, as the server counts them per command: without reading and answering. */
  readonly scriptUs: number;
  /** `EVALSHA` and `EVAL` together. */
  readonly scripts: number;
}

/**
 * A connection to Redis without a client's own cost: commands go out as they are, 64 at a time. Understands as much of
 * the answers as it takes to know that all are there.
 */
export class RedisPipe {
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  static async connect(port: number): Promise<RedisPipe> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.setNoDelay(true);
    return new RedisPipe(socket);
  }

  /** Sends commands of which each is answered by an integer. @throws Error for an answer that is an error. */
  async send(commands: readonly string[]): Promise<void> {
    for (let start = 0; start < commands.length; start += 64) {
      const batch = commands.slice(start, start + 64);
      const answers = await this.#exchange(batch.join(''), (text) => count(text, '\n') >= batch.length);
      const error = /^-.*/m.exec(answers);
      if (error !== null) throw new Error(`Redis: ${error[0]}`);
    }
  }

  async work(): Promise<ServerWork> {
    const end = '\r\n+PONG\r\n';
    const text = await this.#exchange(
      command('INFO', 'cpu') + command('INFO', 'commandstats') + command('PING'),
      (all) => all.endsWith(end),
    );
    const number = (pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? 0);
    return {
      cpuUs: 1e6 * (number(/used_cpu_sys:([\d.]+)/) + number(/used_cpu_user:([\d.]+)/)),
      scriptUs: number(/cmdstat_evalsha:calls=\d+,usec=(\d+)/),
      scripts: number(/cmdstat_evalsha:calls=(\d+)/) + number(/cmdstat_eval:calls=(\d+)/),
    };
  }

  async empty(): Promise<void> {
    await this.#exchange(command('FLUSHDB'), (text) => text.endsWith('\n'));
  }

  close(): void {
    this.#socket.destroy();
  }

  async #exchange(text: string, isWhole: (answers: string) => boolean): Promise<string> {
    this.#socket.write(text);
    let answers = '';
    while (!isWhole(answers)) {
      const [data] = (await once(this.#socket, 'data')) as [Buffer];
      answers += data.toString('latin1');
    }
    return answers;
  }
}

/** A command as it goes over the wire. */
export function command(...words: readonly string[]): string {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return `*${words.length}\r\n${parts.join('')}`;
}

function count(text: string, letter: string): number {
  let found = 0;
  for (const each of text) if (each === letter) found++;
  return found;
}
