/** The same items, each round beginning with another one: nobody always comes after the same neighbour's garbage. */
export function rotated<T>(items: readonly T[], round: number): T[] {
  const first = round % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}
