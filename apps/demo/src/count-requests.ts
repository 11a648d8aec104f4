import { tracingChannel } from 'node:diagnostics_channel';
import { channelNames } from '@synapsekit/core';

/** Counts the requests that leave this process, where the provider's own log cannot be seen. */
export function countRequests(): { readonly sent: number; readonly stop: () => void } {
  const { start } = tracingChannel(channelNames.llm);
  let sent = 0;
  const count = (): void => {
    sent++;
  };
  start.subscribe(count);
  return {
    get sent() {
      return sent;
    },
    stop: () => void start.unsubscribe(count),
  };
}
