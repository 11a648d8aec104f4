import { AsyncLocalStorage } from 'node:async_hooks';
import { createRequire } from 'node:module';
import type { Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { fs } from '../node-builtins.ts';
import type { ProviderPrefix, RelayAddress, RelayAnswer, RelayNote, RelayRequest } from './address.ts';
import { coverSpawning, type Start } from './cover-spawning.ts';
import { dataFrames, type Frame, FrameReader, frame } from './frames.ts';
import { isPastBoundary } from './uncovered-traffic.ts';
import { toWire } from './wire-error.ts';

/** What a relay stands for. */
export interface RelaySetup {
  /** The boundary of the run. */
  readonly fetch: typeof globalThis.fetch;
  /** Called in the async context where a process was started that refused a request. */
  readonly onRefused: (message: string) => void;
  /** Nothing may go out that the run does not see: there is a budget, or a tape. */
  readonly isBinding: boolean;
  /** Requests that read are free. */
  readonly mayRead: boolean;
  /** Requests that go past `fetch` are stopped. */
  readonly blocks: boolean;
  readonly allowHosts: readonly string[];
  readonly providers: readonly ProviderPrefix[];
}

const waitedFor =
  'the run waits for the process that sends it (spawnSync, execSync, execFileSync) and cannot look at it meanwhile. Start it with spawn, exec or execFile and await its end';

/** Runs something in the async context in which it was made. */
type Resume = <T>(fn: () => T) => T;

/** Where it listens. */
interface OpenRelay {
  readonly server: Server;
  readonly folder: string;
  readonly socket: string;
}

/**
 * The boundary, for the processes and threads that a run starts: they hand their requests over a socket of this
 * machine, and each is answered as if it had been sent where the process was started. Nothing is opened before the
 * first of them is started.
 */
export class Relay {
  readonly #setup: RelaySetup;
  readonly #uncover: () => void;
  readonly #scopes: Map<number, Resume> = new Map();
  readonly #sockets: Set<Socket> = new Set();
  readonly #onExit = (): void => this.#removeFolder();
  #open: OpenRelay | undefined;
  #preload: string | undefined;
  #notesRead = 0;
  #closed = false;

  constructor(setup: RelaySetup) {
    this.#setup = setup;
    this.#uncover = coverSpawning((start) => this.#addressFor(start));
  }

  /** Hears what processes refused by themselves since it was asked last. */
  readNotes(): void {
    if (this.#open === undefined) return;
    for (const { scope, message } of this.#newNotes()) {
      this.#scopes.get(scope)?.(() => this.#setup.onRefused(message));
    }
  }

  /** What is still asked gets no answer any more. */
  close(): void {
    this.#closed = true;
    this.#uncover();
    this.readNotes();
    this.#scopes.clear();
    for (const socket of this.#sockets) socket.destroy();
    this.#open?.server.close();
    this.#removeFolder();
    process.off('exit', this.#onExit);
    this.#open = undefined;
  }

  #addressFor(start: Start): RelayAddress | undefined {
    const { isBinding, mayRead, blocks, allowHosts, providers } = this.#setup;
    // Somebody may have kept a `spawn` of the run beyond its end.
    if (this.#closed || isPastBoundary()) return undefined;
    // Nothing depends on it, so it goes its own way.
    if (start === 'waiting' && !isBinding) return undefined;
    const scope = this.#scopes.size + 1;
    const { folder, socket } = this.#listen();
    this.#scopes.set(scope, AsyncLocalStorage.snapshot());
    return {
      pid: process.pid,
      preload: this.#preloadURL(),
      socket,
      notes: join(folder, 'notes'),
      scope,
      ...(start === 'waiting' && { closed: waitedFor }),
      isBinding,
      mayRead,
      blocks,
      allowHosts,
      providers,
    };
  }

  #listen(): OpenRelay {
    if (this.#open !== undefined) return this.#open;
    const { createServer } = process.getBuiltinModule('node:net');
    const folder = fs.mkdtempSync(join(tmpdir(), 'synapsekit-'));
    const socket =
      process.platform === 'win32'
        ? `\\\\.\\pipe\\synapsekit-${process.pid}-${folder.slice(-6)}`
        : join(folder, 's');
    process.once('exit', this.#onExit);
    // Bound when this returns; only its user's processes can open the folder.
    const server = createServer((asking) => this.#serve(asking));
    server.listen(socket);
    server.unref();
    this.#open = { server, folder, socket };
    return this.#open;
  }

  #preloadURL(): string {
    // The module itself has to be found from `src` as from `dist`, wherever this code was put by then.
    this.#preload ??= pathToFileURL(createRequire(import.meta.url).resolve('@synapsekit/eval/preload')).href;
    return this.#preload;
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    const left = new AbortController();
    socket.on('error', () => {}); // it is closed then
    socket.on('close', () => {
      this.#sockets.delete(socket);
      left.abort(new DOMException('The process that asked is gone.', 'AbortError'));
    });
    const reader = new FrameReader();
    let head: RelayRequest | undefined;
    const body: Buffer[] = [];
    const take = ({ kind, payload }: Frame): void => {
      if (kind === 'head') {
        head = JSON.parse(payload.toString()) as RelayRequest;
        socket.write(frame('taken'));
      } else if (kind === 'data') {
        body.push(payload);
      } else if (kind === 'end' && head !== undefined) {
        void this.#answer(socket, head, body.length === 0 ? undefined : Buffer.concat(body), left.signal);
      }
    };
    socket.on('data', (bytes) => {
      try {
        for (const each of reader.push(bytes as Buffer)) take(each);
      } catch {
        socket.destroy(); // nobody of ours
      }
    });
  }

  async #answer(
    socket: Socket,
    { scope, url, method, headers, redirect }: RelayRequest,
    body: Buffer<ArrayBuffer> | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const write = (bytes: Buffer): Promise<void> | undefined =>
      socket.write(bytes) || socket.destroyed ? undefined : drained(socket, signal);
    try {
      const resume = this.#scopes.get(scope);
      if (resume === undefined) throw new Error('The run does not know whose request this is.');
      const response = await resume(() =>
        this.#setup.fetch(url, {
          method,
          headers: headers.map(([name, value]): [string, string] => [name, value]),
          redirect,
          signal,
          ...(body !== undefined && { body }),
        }),
      );
      await write(frame('head', JSON.stringify(answerOf(response, url))));
      for await (const piece of response.body ?? []) {
        for (const each of dataFrames(piece)) await write(each);
      }
      await write(frame('end'));
    } catch (error) {
      if (!socket.destroyed) socket.write(frame('error', JSON.stringify(toWire(error))));
    }
    socket.end();
  }

  *#newNotes(): Generator<RelayNote, void, undefined> {
    let text: string;
    try {
      text = fs.readFileSync(join(this.#open?.folder ?? '', 'notes'), 'utf8');
    } catch {
      return; // there are none
    }
    const end = text.lastIndexOf('\n') + 1;
    const fresh = text.slice(this.#notesRead, end);
    this.#notesRead = end;
    for (const line of fresh.split('\n').filter((one) => one !== '')) yield JSON.parse(line) as RelayNote;
  }

  #removeFolder(): void {
    if (this.#open !== undefined) fs.rmSync(this.#open.folder, { recursive: true, force: true });
  }
}

function answerOf({ url, redirected, status, statusText, headers }: Response, asked: string): RelayAnswer {
  return { url: url === '' ? asked : url, redirected, status, statusText, headers: [...headers] };
}

function drained(socket: Socket, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    socket.once('drain', resolve);
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
