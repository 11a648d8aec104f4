import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SimulatedProvider, type SimulatedProviderOptions } from '@synapsekit/testing';
import { ProviderTraffic } from '../src/traffic/provider-traffic.ts';
import type { ProviderTrafficOptions } from '../src/traffic/traffic-options.ts';
import type { TrafficContext } from '../src/traffic-control.ts';
import { simulatedPrices } from './simulated-prices.ts';

/** A folder and a provider, gone at the end of the test. */
export class TrafficLab implements AsyncDisposable {
  readonly sim: SimulatedProvider;
  readonly cwd: string;

  private constructor(sim: SimulatedProvider, cwd: string) {
    this.sim = sim;
    this.cwd = cwd;
  }

  static async open(options?: SimulatedProviderOptions): Promise<TrafficLab> {
    return new TrafficLab(await SimulatedProvider.start(options), await mkdtemp(join(tmpdir(), 'traffic-')));
  }

  traffic(options: ProviderTrafficOptions = {}): ProviderTraffic {
    return new ProviderTraffic({ cwd: this.cwd, prices: simulatedPrices(), ...options });
  }

  get tapePath(): string {
    return join(this.cwd, '__tapes__', 'a.eval.ts.jsonl');
  }

  tape(): Promise<string> {
    return readFile(this.tapePath, 'utf8');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sim.close();
    await rm(this.cwd, { recursive: true, force: true });
  }
}

/** Whose traffic it is, of a case "a" in a file "a.eval.ts" unless said otherwise. */
export function contextOf(facts: Partial<TrafficContext> = {}): TrafficContext {
  return {
    file: 'a.eval.ts',
    name: 'a',
    trial: 0,
    role: 'case',
    signal: new AbortController().signal,
    ...facts,
  };
}
