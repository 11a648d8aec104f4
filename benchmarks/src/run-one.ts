/** Runs one bench and sends its report to the process that forked this one. */
import { benches } from './benches.ts';
import { measureAt, Skipped } from './harness/bench.ts';
import { fullPace, quickPace } from './harness/pace.ts';
import type { BenchReport } from './harness/report.ts';

const [name = '', pace] = process.argv.slice(2);
const load = benches.get(name);
if (load === undefined || process.send === undefined) throw new Error('This is run by main.ts.');
process.once('disconnect', () => process.exit()); // also when whoever waits for this is gone
const { bench } = await load();
process.send(await runBench());
process.disconnect();

async function runBench(): Promise<BenchReport> {
  const { title } = bench;
  try {
    const groups = await bench.run(measureAt(pace === 'quick' ? quickPace : fullPace));
    return { name, title, groups };
  } catch (error) {
    if (error instanceof Skipped) return { name, title, groups: [], skipped: error.message };
    return { name, title, groups: [], failed: error instanceof Error ? String(error.stack) : String(error) };
  }
}
