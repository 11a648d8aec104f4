import { channel } from 'node:diagnostics_channel';
import { type BreakerMessage, type BudgetMessage, channelNames } from '@synapsekit/core';
import { runContext } from './run-context.ts';

const states = new Map<string, string>();
let open = 0;

/** More of them are a loop, and would only fill the memory. */
const maxEvents = 1_000;

/** What budgets and circuit breakers do in the async context of a case. */
export class CaseEvents {
  readonly budget: BudgetMessage[] = [];
  readonly breaker: BreakerMessage[] = [];

  /** The state of every breaker that was heard of since the first recorder of this process began. */
  static get breakers(): ReadonlyMap<string, string> {
    return states;
  }
}

/** Listens to the channels while a run goes on. Returns the way to stop. */
export function listenToEvents(): () => void {
  if (open++ === 0) {
    channel(channelNames.budget).subscribe(onBudget);
    channel(channelNames.breaker).subscribe(onBreaker);
  }
  return () => {
    if (--open > 0) return;
    channel(channelNames.budget).unsubscribe(onBudget);
    channel(channelNames.breaker).unsubscribe(onBreaker);
  };
}

function onBudget(message: unknown): void {
  note(runContext()?.events?.budget, message as BudgetMessage);
}

function onBreaker(message: unknown): void {
  const { breaker, to } = message as BreakerMessage;
  states.set(breaker, to);
  note(runContext()?.events?.breaker, message as BreakerMessage);
}

function note<T>(events: T[] | undefined, event: T): void {
  if (events !== undefined && events.length < maxEvents) events.push(event);
}
