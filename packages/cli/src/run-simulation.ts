import { ConfigError } from '@synapsekit/core';
import {
  type Bill,
  SimulatedProvider,
  type SimulatedProviderOptions,
  type SimulatedRequest,
} from '@synapsekit/testing';
import { usesColor } from './colors.ts';
import { UsageError } from './command.ts';
import { formatBill, formatRequest, requestAsJson } from './format-traffic.ts';
import { type CliIo, exitCodes } from './io.ts';

/**
 * Serves until it is interrupted, and prints what goes on.
 *
 * @throws UsageError for options that make no sense or a port that is taken.
 */
export async function runSimulation(
  options: SimulatedProviderOptions,
  io: CliIo,
  { json, noColor }: { readonly json: boolean; readonly noColor: boolean },
): Promise<number> {
  const report = json ? reportAsJson(io) : reportAsText(io, noColor);
  const provider = await start({ ...options, onRequest: (request) => report.request(request) });
  report.listening(provider);
  await aborted(io.signal);
  await provider.close();
  report.bill(provider.bill);
  return exitCodes.ok;
}

interface TrafficReport {
  listening(provider: SimulatedProvider): void;
  request(request: SimulatedRequest): void;
  bill(bill: Bill): void;
}

function reportAsText(io: CliIo, noColor: boolean): TrafficReport {
  const color = usesColor(io, io.stdout, noColor);
  return {
    listening(provider) {
      const env = Object.entries(provider.env).map(([name, value]) => `export ${name}=${value}`);
      io.stdout.write(
        `${provider.describe()}\n\nPoint clients at it with:\n\n${env.join('\n')}\n\nStop it with Ctrl-C.\n\n`,
      );
    },
    request: (request) => io.stdout.write(`${formatRequest(request, color)}\n`),
    bill: (bill) => io.stdout.write(`\n${formatBill(bill)}\n`),
  };
}

function reportAsJson(io: CliIo): TrafficReport {
  const print = (line: object): unknown => io.stdout.write(`${JSON.stringify(line)}\n`);
  return {
    listening: ({ port, env }) => print({ type: 'listening', version: 1, port, env }),
    request: (request) => print({ type: 'request', ...requestAsJson(request) }),
    bill: (bill) => print({ type: 'bill', ...(bill.toJSON() as object) }),
  };
}

async function start(options: SimulatedProviderOptions): Promise<SimulatedProvider> {
  try {
    return await SimulatedProvider.start(options);
  } catch (error) {
    throw error instanceof ConfigError ? new UsageError(error.message) : error;
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
