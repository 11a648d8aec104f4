import { linkSignals } from '@synapsekit/core';
import type { CallPrices } from '../traffic/call-prices.ts';
import type { TrafficKind } from '../traffic/model-call.ts';
import type { WireRequest } from '../traffic/wire-request.ts';
import type { TrafficContext } from '../traffic-control.ts';
import type { RunBudget, RunHold } from './run-budget.ts';
import { worstCase } from './worst-case.ts';

/** What is known of a request before it is sent. */
export interface AskedCall {
  readonly request: WireRequest;
  readonly context: TrafficContext;
  readonly traffic: TrafficKind;
}

/** Money that was set aside, nothing where nothing is needed, or why the request must not be sent. */
export type Admission = RunHold | undefined | { readonly refused: string };

/**
 * Sets aside what a request may cost. What nobody can tell is refused.
 *
 * @throws what the client aborted with while it waited.
 */
export async function admitCall(
  budget: RunBudget,
  { request, context, traffic }: AskedCall,
  prices: () => Promise<CallPrices | undefined>,
): Promise<Admission> {
  if (traffic.kind === 'free') return undefined;
  if (traffic.kind === 'unknown') {
    // A provider is not free because one of its endpoints is.
    if (traffic.provider !== undefined) return { refused: traffic.why };
    const { host } = request.url;
    return { refused: `${traffic.why}; if it costs nothing, say so with --allow-host ${host}` };
  }
  const { call } = traffic;
  const name = call.provider === undefined ? call.model : `${call.provider}/${call.model}`;
  const price = (await prices())?.find(call);
  if (price === undefined) return { refused: `no price is known for ${name}; add it with --prices` };
  const worst = worstCase(call, price);
  if ('why' in worst) return { refused: `what a call to ${name} may cost cannot be told: ${worst.why}` };
  if (worst.unlimited && worst.pico > budget.limitPico) {
    return {
      refused: `a call to ${name} that sets no max_tokens may cost more than all of it; set max_tokens, or allow more`,
    };
  }
  const link = linkSignals(request.signal, context.signal);
  try {
    const hold = await budget.reserve(worst.pico, link.signal);
    return 'denied' in hold ? { refused: hold.denied } : hold;
  } catch (error) {
    // When the case itself has to stop, its money was what it waited for. Else the client gave up.
    if (context.signal.aborted) return { refused: 'it was still waiting for calls in flight to settle' };
    throw error;
  } finally {
    link.dispose();
  }
}
