import { AsyncLocalStorage } from 'node:async_hooks';
import { channel } from 'node:diagnostics_channel';
import { type BreakerMessage, type BudgetMessage, channelNames } from '@synapsekit/core';

const current = new AsyncLocalStorage<CaseEvents>();
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

  /** Runs `fn`: what it and all it starts do is noted here. */
  run<T>(fn: () => T): T {
    return current.run(this, fn);
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
  note(current.getStore()?.budget, message as BudgetMessage);
}

function onBreaker(message: unknown): void {
  const { breaker, to } = message as BreakerMessage;
  states.set(breaker, to);
  note(current.getStore()?.breaker, message as BreakerMessage);
}

function note<T>(events: T[] | undefined, event: T): void {
  if (events !== undefined && events.length < maxEvents) events.push(event);
}
