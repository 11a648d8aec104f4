import { SimulatedProvider } from '@synapsekit/testing';

/** A provider on this machine that takes its time as real ones do, only less of it. */
export function startProvider(): Promise<SimulatedProvider> {
  return SimulatedProvider.start({
    latencyMs: ({ model }) => (model === 'gpt-4o' ? 120 : 40),
    chunkDelayMs: 4,
  });
}
