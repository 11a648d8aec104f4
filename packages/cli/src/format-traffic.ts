import { formatUsd, usdDecimal, usdNumber } from '@synapsekit/core';
import type { Bill, SimulatedRequest } from '@synapsekit/testing';
import { util } from './node-builtins.ts';

/** One request to a simulated provider in one line: when, whom, how it ended, what it cost. */
export function formatRequest(request: SimulatedRequest, color: boolean): string {
  const { provider, model, method, path, stream, status, outcome, fault, billed } = request;
  const time = new Date(request.atMs).toISOString().slice(11, 19);
  const subject = model === '' ? `${method} ${path}` : `${model}${stream ? ' (stream)' : ''}`;
  const good = outcome === 'answered';
  const end = [
    String(status ?? '-'),
    ...(good ? [] : [outcome]),
    ...(fault === undefined ? [] : [`(${fault})`]),
  ].join(' ');
  const facts = [
    time,
    provider.padEnd(6),
    subject,
    color ? util.styleText(good ? 'green' : 'red', end, { validateStream: false }) : end,
    `${(request.endedAtMs ?? request.atMs) - request.atMs} ms`,
    ...(billed === undefined
      ? []
      : [`${billed.inputTokens} + ${billed.outputTokens} tokens`, formatUsd(billed.amountPico)]),
  ];
  return facts.join('  ');
}

/** The facts of a request, without its prompt and its answer. */
export function requestAsJson(request: SimulatedRequest): object {
  const {
    requestId,
    provider,
    method,
    path,
    model,
    stream,
    attempt,
    atMs,
    endedAtMs,
    outcome,
    status,
    fault,
    billed,
  } = request;
  return {
    requestId,
    provider,
    method,
    path,
    model,
    stream,
    attempt,
    atMs,
    endedAtMs,
    outcome,
    status,
    fault,
    inputTokens: billed?.inputTokens,
    outputTokens: billed?.outputTokens,
    ...(billed !== undefined && {
      costUsd: usdNumber(billed.amountPico),
      costUsdExact: usdDecimal(billed.amountPico),
    }),
  };
}

/** What a simulated provider charges, model by model. */
export function formatBill({ byModel, totalPico }: Bill): string {
  const rows = Object.entries(byModel).map(([name, { requests, inputTokens, outputTokens, amountPico }]) => [
    name,
    `${requests} ${requests === 1 ? 'request' : 'requests'}`,
    `${inputTokens} + ${outputTokens} tokens`,
    formatUsd(amountPico),
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(0, ...rows.map((row) => (row[column] ?? '').length)));
  const lines = rows.map(
    (row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`,
  );
  return [`Bill: ${formatUsd(totalPico)}`, ...lines].join('\n');
}
