import { isSynapseError, type LedgerStore } from '@synapsekit/core';
import { type DemoArguments, help, parseArguments } from './arguments.ts';
import { ask } from './ask.ts';
import { requireKeys } from './live-models.ts';
import { liveStory } from './live-story.ts';
import { openStore } from './open-store.ts';
import { story } from './story.ts';
import { type Sink, Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';

/** The world as the demo sees it. */
export interface DemoIo {
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  /** Where budgets are counted, if not in memory. */
  readonly ledger?: LedgerStore | undefined;
}

/** Runs the demo and returns its exit code: 0, 1 (failed, or a claim was not true), 2 (could not begin), 130. */
export async function runDemo(args: readonly string[], io: DemoIo): Promise<number> {
  const errors = new Terminal(io.stderr, io.env);
  try {
    const options = parseArguments(args);
    if (options.help) {
      io.stdout.write(help);
      return 0;
    }
    if (options.live) requireKeys(io.env);
    const store = await openStore(options.store);
    try {
      return (await perform(options, { ...io, ledger: store?.ledger })) ? 0 : 1;
    } finally {
      await store?.close();
    }
  } catch (error) {
    if (io.signal.aborted) return 130;
    const hint = error instanceof UsageError ? ' See --help.' : '';
    errors.line(errors.paint('red', `${messageOf(error)}${hint}`));
    return error instanceof UsageError ? 2 : 1;
  }
}

function perform(options: DemoArguments, io: DemoIo): Promise<boolean> {
  if (options.query !== undefined || options.file !== undefined) return ask(options, io);
  return options.live ? liveStory(options, io) : story(options, io);
}

/** Our own errors say what to do; of a fault of the demo itself the place matters. */
function messageOf(error: unknown): string {
  if (error instanceof UsageError || isSynapseError(error)) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
