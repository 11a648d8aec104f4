/**
 * Runs `work` on every item, at most `concurrency` at a time, and hands the results to `take` in the order of the
 * items, each as soon as it and all before it are there.
 */
export async function inOrder<T, R>(
  items: readonly T[],
  concurrency: number,
  work: (item: T) => Promise<R>,
  take: (result: R) => void,
): Promise<void> {
  const results = new Map<number, R>();
  let next = 0;
  let taken = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) {
      results.set(index, await work(items[index] as T));
      for (; results.has(taken); taken++) {
        take(results.get(taken) as R);
        results.delete(taken);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, worker));
}
