import {
  type Attempt,
  type CostRecord,
  costChannel,
  defineLLM,
  type LLM,
  type LLMDefinition,
  parseUsd,
  usdDecimal,
  usdNumber,
} from '@synapsekit/core';

/** What the pretend tracker says of an attempt. */
export interface PaidModelOptions {
  /** What each call costs, in dollars. @default "0.0000023" */
  readonly usd?: string | undefined;
  /** The tracker has no price for it. @default false */
  readonly unpriced?: boolean | undefined;
  /** Tokens are estimated. @default false */
  readonly estimated?: boolean | undefined;
  /** How many trackers record each attempt. @default 1 */
  readonly trackers?: number | undefined;
  readonly model?: string | undefined;
  readonly answer?: LLMDefinition['generate'] | undefined;
}

/** A model whose attempts are recorded as `@synapsekit/cost` does it: on the channel, in the call's context. */
export function paidModel(options: PaidModelOptions = {}): LLM {
  const { trackers = 1, model = 'paid', answer = () => 'Python was released in 1991.' } = options;
  const inner = defineLLM({ provider: 'local', model, generate: answer });
  const onAttempt = (attempt: Attempt): void => {
    if (attempt.outcome === 'refused' || attempt.outcome === 'unsent') return;
    for (let tracker = 0; tracker < trackers; tracker++) publish(attempt.attemptId, { ...options, model });
  };
  return {
    ...inner,
    generate: (prompt, callOptions) => inner.generate(prompt, { ...callOptions, onAttempt }),
    stream: (prompt, callOptions) => inner.stream(prompt, { ...callOptions, onAttempt }),
  };
}

/** Publishes a cost record. */
export function publish(attemptId: string, options: PaidModelOptions = {}): void {
  const { usd = '0.0000023', unpriced = false, estimated = false, model = 'paid' } = options;
  const pico = unpriced ? 0n : parseUsd(usd);
  costChannel.publish(
    (): CostRecord => ({
      version: 1,
      attemptId,
      atMs: 0,
      provider: 'local',
      model,
      modelId: `local/${model}`,
      usage: { inputTokens: 1, outputTokens: 1, attemptId },
      costUsd: usdNumber(pico),
      costUsdExact: usdDecimal(pico),
      unpriced,
      estimated,
      scopePath: [],
      attributes: {},
    }),
  );
}
