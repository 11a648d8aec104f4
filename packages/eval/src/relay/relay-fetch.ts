import { appendFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { refusalResponse, responseOf } from '../traffic/metered-response.ts';
import type { RelayAddress, RelayAnswer, RelayNote, RelayRequest } from './address.ts';
import { dataFrames, type Frame, FrameReader, frame } from './frames.ts';
import { pastBoundary } from './uncovered-traffic.ts';
import { fromWire, type WireError } from './wire-error.ts';

/** A run whose event loop turns takes a request at once; one that does not, in milliseconds. */
const patienceMs = 30_000;

/**
 * The `fetch` of a process or a thread that a run started: it hands each request to the run, which admits, sends,
 * measures and tapes it as if it were its own, and hands the answer back as it comes.
 *
 * @param network what requests to hosts that cost nothing go through.
 */
export function createRelayFetch(address: RelayAddress, network: typeof fetch): typeof fetch {
  const allowed = new Set(address.allowHosts);
  const pass: typeof fetch = (input, init) => pastBoundary(() => network(input, init));
  return async (input, init) => {
    const url = urlOf(input);
    // What is no request to a host, `fetch` itself says.
    if (url === undefined || allowed.has(url.host)) return pass(input, init);
    // A dispatcher cannot be handed over: only this process has it.
    const closed =
      address.closed ??
      (init !== undefined && 'dispatcher' in init ? 'it was given a dispatcher of its own' : undefined);
    if (closed === undefined) return relay(address, new Request(input, init));
    const { method } = new Request(input, init);
    if (!address.isBinding || (address.mayRead && /^(?:GET|HEAD|OPTIONS)$/.test(method)))
      return pass(input, init);
    const message = `a request to ${url.host} was not sent: ${closed}`;
    leaveNote(address, message);
    return refusalResponse('blocked', `synapsekit: ${message}.`);
  };
}

/** Tells the run that something was refused. It reads the notes when the case is over. */
export function leaveNote({ notes, scope }: RelayAddress, message: string): void {
  const note: RelayNote = { scope, message };
  try {
    appendFileSync(notes, `${JSON.stringify(note)}\n`); // whole lines, also from many processes
  } catch {
    // The run is over, and so is its folder.
  }
}

function urlOf(input: Parameters<typeof fetch>[0]): URL | undefined {
  try {
    const url = new URL(input instanceof Request ? input.url : String(input));
    return /^https?:$/.test(url.protocol) ? url : undefined;
  } catch {
    return undefined;
  }
}

async function relay(address: RelayAddress, request: Request): Promise<Response> {
  const { signal } = request;
  signal.throwIfAborted();
  const body = request.body === null ? undefined : new Uint8Array(await request.arrayBuffer());
  const socket = connect(address.socket);
  const leave = (): void => void socket.destroy(signal.reason as Error);
  signal.addEventListener('abort', leave, { once: true });
  const end = (): void => {
    signal.removeEventListener('abort', leave);
    socket.destroy();
  };
  try {
    signal.throwIfAborted();
    send(socket, headOf(address, request), body);
    const frames = framesOf(socket);
    const head = await headFrame(frames, socket);
    if (head.kind === 'error') throw fromWire(JSON.parse(head.payload.toString()) as WireError);
    const answer = JSON.parse(head.payload.toString()) as RelayAnswer;
    const headers = new Headers(answer.headers.map(([name, value]): [string, string] => [name, value]));
    const response = responseOf({ ...answer, headers }, bodyOf(frames, signal, end), answer.url, end);
    Object.defineProperty(response, 'redirected', { value: answer.redirected, configurable: true });
    if (response.body === null) end();
    return response;
  } catch (error) {
    end();
    if (signal.aborted) throw signal.reason;
    throw isGone(error) ? gone(error) : error;
  }
}

function headOf({ scope }: RelayAddress, { url, method, headers, redirect }: Request): RelayRequest {
  return { scope, url, method, headers: [...headers], redirect };
}

function send(socket: Socket, head: RelayRequest, body: Uint8Array | undefined): void {
  socket.write(frame('head', JSON.stringify(head)));
  if (body !== undefined) for (const piece of dataFrames(body)) socket.write(piece);
  socket.write(frame('end'));
}

async function* framesOf(socket: Socket): AsyncGenerator<Frame, void, undefined> {
  const reader = new FrameReader();
  for await (const bytes of socket) yield* reader.push(bytes as Buffer);
}

/** The head of the answer. The run says first that it has taken the request: one that is blocked never would. */
async function headFrame(frames: AsyncGenerator<Frame, void, undefined>, socket: Socket): Promise<Frame> {
  const impatient = setTimeout(() => {
    socket.destroy(
      new TypeError(
        'fetch failed: the process that runs the evals does not take requests: its event loop is blocked (Atomics.wait, an endless loop?). Wait for threads and processes without blocking.',
      ),
    );
  }, patienceMs);
  try {
    for (;;) {
      const { value, done } = await frames.next();
      if (done === true) throw gone(undefined);
      clearTimeout(impatient);
      if (value.kind !== 'taken') return value;
    }
  } finally {
    clearTimeout(impatient);
  }
}

async function* bodyOf(
  frames: AsyncGenerator<Frame, void, undefined>,
  signal: AbortSignal,
  end: () => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for await (const { kind, payload } of frames) {
      if (kind === 'data') yield payload;
      else if (kind === 'error') throw fromWire(JSON.parse(payload.toString()) as WireError);
      else if (kind === 'end') return;
    }
    throw gone(undefined);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw isGone(error) ? gone(error) : error;
  } finally {
    end();
  }
}

function isGone(error: unknown): boolean {
  const code: unknown =
    error instanceof Error && Reflect.get(error, 'syscall') !== undefined && Reflect.get(error, 'code');
  return code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ECONNRESET' || code === 'EPIPE';
}

function gone(cause: unknown): TypeError {
  return new TypeError(
    'fetch failed: the eval run that started this process is over, and nothing is sent outside of it',
    { cause },
  );
}
