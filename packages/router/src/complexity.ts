/** How much a query asks of a model, in rising order: a lookup, some reasoning, deep analysis or code. */
export const complexities = ['simple', 'medium', 'complex'] as const;

/** One of `complexities`. */
export type Complexity = (typeof complexities)[number];

/** True for the three names of `Complexity`. */
export function isComplexity(value: unknown): value is Complexity {
  return (complexities as readonly unknown[]).includes(value);
}
