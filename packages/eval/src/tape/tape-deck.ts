import { type Clock, isSynapseError } from '@synapsekit/core';
import type { Recorder } from '../traffic/exchange.ts';
import type { TrafficBook } from '../traffic/traffic-books.ts';
import type { TapeMode, TapeOptions } from '../traffic/traffic-options.ts';
import type { WireRequest } from '../traffic/wire-request.ts';
import type { TrafficContext, TrafficStop } from '../traffic-control.ts';
import { explainMiss } from './nearest-tape.ts';
import { type PlayedAnswer, playTape } from './play-tape.ts';
import { type ReceivedAnswer, tapeAnswer } from './record-answer.ts';
import { identify, type Redact, type TapeRequest } from './request-identity.ts';
import { SecretScan, withoutAccounts } from './secret-scan.ts';
import type { TapedEnd, TapeEntry, TapeScope } from './tape-entry.ts';
import type { TapeFile } from './tape-file.ts';
import { TapeLibrary } from './tape-library.ts';

/** What is to be done with a request. */
export type TapeOrder =
  /** Answer it from tape. */
  | { readonly play: () => Promise<PlayedAnswer> }
  /** Send it, and put what comes on tape. */
  | { readonly record: Recorder }
  /** Refuse it. */
  | { readonly stop: TrafficStop };

/** What a deck works with. */
export interface TapeDeckSetup {
  readonly mode: TapeMode;
  readonly cwd: string;
  readonly tapes: TapeOptions;
  readonly keepHeaders: ReadonlySet<string>;
  readonly clock: Clock;
}

/** Plays and records. Loaded only where there is something to play or record. */
export class TapeDeck {
  readonly #setup: TapeDeckSetup;
  readonly #scan: SecretScan;
  readonly #library: TapeLibrary;
  readonly #redact: Redact;

  constructor(setup: TapeDeckSetup) {
    const { cwd, clock, tapes } = setup;
    this.#setup = setup;
    this.#scan = new SecretScan(tapes.secrets ?? {});
    this.#library = new TapeLibrary({ cwd, dir: tapes.dir, clock, scan: this.#scan });
    this.#redact = tapes.redact ?? ((text) => text);
  }

  /** @throws ConfigError for a tape that cannot be read. */
  async prepare(files: readonly string[]): Promise<void> {
    await Promise.all(files.map((file) => this.#library.of(file)));
  }

  /**
   * Says what is to be done with a request.
   *
   * @param books count what is recorded.
   */
  async order(
    request: WireRequest,
    context: TrafficContext,
    books: readonly TrafficBook[],
  ): Promise<TapeOrder> {
    const { mode } = this.#setup;
    const scope = scopeOf(context);
    const taped = identify(request, this.#redact);
    try {
      const tape = await this.#library.of(context.file);
      if (mode !== 'rerecord') {
        const entry = tape.take(scope, taped.key, taped.request.host);
        if (entry !== undefined) return this.#play(entry, tape, request.signal);
        if (mode === 'replay') return miss(tape, scope, taped);
      }
      await tape.makeWritable();
      this.#scan.learn(request.headers);
      return { record: this.#recorder(tape, scope, taped, { context, books }) };
    } catch (error) {
      if (!isSynapseError(error, 'config')) throw error;
      return { stop: { kind: 'blocked', message: error.message } };
    }
  }

  /** A trial is over: its tape is written soon. */
  async endTrial(context: TrafficContext, complete: boolean): Promise<void> {
    const { mode } = this.#setup;
    if (mode === 'replay') return;
    if (mode === 'rerecord' && complete) {
      (await this.#library.of(context.file)).replaceTrial(scopeOf(context));
    }
    await this.#library.saveSometimes();
  }

  /** @throws ConfigError for what could not be written, or must not be. */
  async save(): Promise<void> {
    // A replay changes nothing, also not what a recording left behind.
    if (this.#setup.mode !== 'replay') await this.#library.save();
  }

  #play(entry: TapeEntry, tape: TapeFile, signal: AbortSignal | undefined): TapeOrder {
    const { mode, clock, tapes } = this.#setup;
    const { maxAgeDays, paced = false } = tapes;
    const ageDays = (clock.now() - Date.parse(entry.recordedAt)) / 86_400_000;
    if (mode === 'replay' && maxAgeDays !== undefined && ageDays > maxAgeDays) {
      const message = `its tape in ${tape.shown} is ${Math.floor(ageDays)} days old, and ${maxAgeDays} are allowed; record it again with --rerecord`;
      return { stop: { kind: 'replay-miss', message } };
    }
    return { play: () => playTape(entry, { paced, clock, signal }) };
  }

  #recorder(
    tape: TapeFile,
    scope: TapeScope,
    { key, request }: TapeRequest,
    { context, books }: { readonly context: TrafficContext; readonly books: readonly TrafficBook[] },
  ): Recorder {
    const { mode, clock } = this.#setup;
    const occurrence = tape.nextOccurrence(scope, key, mode === 'rerecord');
    const recordedAt = new Date(clock.now()).toISOString();
    return (received, end, afterMs) => {
      // Cut because the case had to stop: that says nothing about the provider.
      if (end === 'left' && context.signal.aborted) return;
      const answer = this.#answer(received, end, afterMs);
      tape.add({ ...scope, key, occurrence, recordedAt, request, answer });
      for (const book of books) book.recorded++;
    };
  }

  #answer(received: ReceivedAnswer | undefined, end: TapedEnd, afterMs: number): TapeEntry['answer'] {
    if (received === undefined) {
      return { afterMs: Math.round(afterMs), end: end === 'complete' ? 'left' : end };
    }
    const redact: Redact = (text) => this.#redact(received.status >= 400 ? withoutAccounts(text) : text);
    return tapeAnswer(received, redact, this.#setup.keepHeaders);
  }
}

function miss(tape: TapeFile, scope: TapeScope, taped: TapeRequest): TapeOrder {
  const { why, detail } = explainMiss(tape.entries, scope, taped);
  const message = `${why} (${tape.shown}). Record it: synapsekit test --record`;
  return { stop: { kind: 'replay-miss', message, ...(detail !== undefined && { detail }) } };
}

function scopeOf({ suite, name, trial, role }: TrafficContext): TapeScope {
  return { ...(suite !== undefined && { suite }), ...(name !== undefined && { case: name }), trial, role };
}
