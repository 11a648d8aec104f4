import { availableParallelism, cpus, loadavg } from 'node:os';
import type { Machine } from './report.ts';

/** What figures depend on. No name, no path, no address. */
export function describeMachine(): Machine {
  const cores = availableParallelism();
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    date: new Date().toISOString().slice(0, 10),
    loadPerCore: Math.round(((loadavg()[0] ?? 0) / cores) * 10) / 10,
  };
}
