/**
 * Loaded by every Node process and thread that a run starts, before any of its own code: its requests go to the HTTP
 * boundary of the run. Anywhere else it does nothing.
 */
import { getEnvironmentData, isMainThread } from 'node:worker_threads';
import { type RelayAddress, relayVariable } from './address.ts';
import { coverSpawning } from './cover-spawning.ts';
import { finderOf } from './provider-of-host.ts';
import { createRelayFetch, leaveNote } from './relay-fetch.ts';
import { blockUncovered } from './uncovered-traffic.ts';

const address = readAddress();
// The run itself has its boundary.
if (address !== undefined && !(isMainThread && address.pid === process.pid)) join(address);

function join(run: RelayAddress): void {
  globalThis.fetch = createRelayFetch(run, globalThis.fetch);
  // Whoever is started here asks the run as well, and that is not who waits here.
  coverSpawning(() => run);
  if (!run.blocks) return;
  blockUncovered(finderOf(run.providers), new Set(run.allowHosts), (host) => {
    const message = `a request to ${host} did not go through fetch, and was stopped in a process or thread that the case started. Use a client that calls fetch`;
    leaveNote(run, message);
    return new Error(`synapsekit: ${message}.`);
  });
}

function readAddress(): RelayAddress | undefined {
  const given = isMainThread ? undefined : getEnvironmentData(relayVariable);
  if (given !== undefined) return given as unknown as RelayAddress;
  const text = process.env[relayVariable];
  return text === undefined ? undefined : (JSON.parse(text) as RelayAddress);
}
