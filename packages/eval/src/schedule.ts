/** A piece of work and whether it tolerates company. */
export interface Task {
  readonly exclusive: boolean;
  run(): Promise<void>;
}

/**
 * Runs tasks in order, at most `concurrency` at a time. An exclusive one waits until those before it have ended, and
 * those after it wait for it.
 */
export async function schedule(tasks: readonly Task[], concurrency: number): Promise<void> {
  for (let start = 0; start < tasks.length; ) {
    let end = start + 1;
    if (tasks[start]?.exclusive === false) while (tasks[end]?.exclusive === false) end++;
    await runTogether(tasks.slice(start, end), concurrency);
    start = end;
  }
}

async function runTogether(tasks: readonly Task[], concurrency: number): Promise<void> {
  const queue = tasks.values();
  const worker = async (): Promise<void> => {
    for (const task of queue) await task.run();
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, tasks.length) }, worker));
}
