import { ConfigError, rejectUnknownKeys, requireNumber } from '@synapsekit/core';
import type { SparseMatrix } from './feature-vector.ts';

/** Options of `trainLogistic`. */
export interface TrainLogisticOptions {
  /** How strongly weights are held at zero: the larger, the less a few rows can say. @default 1 */
  readonly l2?: number | undefined;
  /** At most so many steps. @default 100 */
  readonly maxSteps?: number | undefined;
  /** How much each row counts. @default 1 for all */
  readonly rowWeights?: Float64Array | undefined;
  /** Only these rows, by number. @default all */
  readonly rows?: Int32Array | undefined;
}

/** Weights of a logistic model: P(yes) = 1 / (1 + exp(-(bias + weights · x))). */
export interface LogisticWeights {
  readonly bias: number;
  readonly weights: Float64Array;
}

const memory = 8;

/**
 * Fits a logistic model with an L2 penalty to labels from 0 to 1 (also those between: they count as so much of a yes).
 * Goes to the one optimum there is (L-BFGS), so it needs no seed: the same rows give the same weights.
 *
 * @throws ConfigError for labels out of range, or as many labels as rows they are not.
 */
export function trainLogistic(
  matrix: SparseMatrix,
  labels: ArrayLike<number>,
  options: TrainLogisticOptions = {},
): LogisticWeights {
  rejectUnknownKeys(options, ['l2', 'maxSteps', 'rowWeights', 'rows'], 'trainLogistic');
  const { l2 = 1, maxSteps = 100 } = options;
  requireNumber(l2, 'l2', { min: 0 });
  requireNumber(maxSteps, 'maxSteps', { integer: true, min: 1 });
  if (labels.length !== matrix.rows) {
    throw new ConfigError(`There are ${matrix.rows} rows and ${labels.length} labels.`, { option: 'labels' });
  }
  const rows = options.rows ?? Int32Array.from({ length: matrix.rows }, (_, row) => row);
  const used = usedColumns(matrix, rows);
  const compact = { ...matrix, columns: used.columns.length, indices: used.indices };
  const found = minimise(new Problem(compact, labels, { ...options, l2, rows }), maxSteps);
  const weights = new Float64Array(matrix.columns);
  for (const [place, column] of used.columns.entries()) weights[column] = found.weights[place] as number;
  return { bias: found.bias, weights };
}

/** Columns that no row has get no weight: leaving them out is most of the time with few rows and many buckets. */
function usedColumns(
  { starts, indices, columns }: SparseMatrix,
  rows: Int32Array,
): { readonly columns: Int32Array; readonly indices: Int32Array } {
  const place = new Int32Array(columns).fill(-1);
  const used: number[] = [];
  const compact = new Int32Array(indices.length);
  for (const row of rows) {
    const end = starts[row + 1] as number;
    for (let k = starts[row] as number; k < end; k++) {
      const column = indices[k] as number;
      if (place[column] === -1) place[column] = used.push(column) - 1;
      compact[k] = place[column] as number;
    }
  }
  return { columns: Int32Array.from(used), indices: compact };
}

/** The penalised log loss of some rows, and its gradient. The bias is the last coordinate and is not penalised. */
class Problem {
  readonly size: number;
  readonly #matrix: SparseMatrix;
  readonly #labels: Float64Array;
  readonly #rowWeights: Float64Array | undefined;
  readonly #rows: Int32Array;
  readonly #l2: number;

  constructor(
    matrix: SparseMatrix,
    labels: ArrayLike<number>,
    { l2, rowWeights, rows }: TrainLogisticOptions & { readonly l2: number; readonly rows: Int32Array },
  ) {
    this.size = matrix.columns + 1;
    this.#matrix = matrix;
    this.#labels = Float64Array.from(labels);
    this.#rowWeights = rowWeights;
    this.#rows = rows;
    this.#l2 = l2;
    for (const row of rows) {
      requireNumber(this.#labels[row], `labels[${row}]`, { min: 0, max: 1 });
    }
  }

  /** The best constant: where to begin. */
  startBias(): number {
    let yes = 0.5;
    let all = 1;
    for (const row of this.#rows) {
      const weight = this.#rowWeights?.[row] ?? 1;
      yes += weight * (this.#labels[row] ?? 0);
      all += weight;
    }
    return Math.log(yes / (all - yes));
  }

  evaluate(at: Float64Array, gradient: Float64Array): number {
    const { starts, indices, values, columns } = this.#matrix;
    const labels = this.#labels;
    let loss = 0;
    for (let j = 0; j < columns; j++) {
      const weight = at[j] as number;
      loss += 0.5 * this.#l2 * weight * weight;
      gradient[j] = this.#l2 * weight;
    }
    const bias = at[columns] as number;
    let biasGradient = 0;
    for (const row of this.#rows) {
      const end = starts[row + 1] as number;
      let margin = bias;
      for (let k = starts[row] as number; k < end; k++) {
        margin += (at[indices[k] as number] as number) * (values[k] as number);
      }
      const label = labels[row] as number;
      const rowWeight = this.#rowWeights === undefined ? 1 : (this.#rowWeights[row] as number);
      // log(1 + exp(margin)) - label * margin, without overflow.
      loss += rowWeight * (Math.max(margin, 0) + Math.log1p(Math.exp(-Math.abs(margin))) - label * margin);
      const slope = rowWeight * (1 / (1 + Math.exp(-margin)) - label);
      biasGradient += slope;
      for (let k = starts[row] as number; k < end; k++) {
        const j = indices[k] as number;
        gradient[j] = (gradient[j] as number) + slope * (values[k] as number);
      }
    }
    gradient[columns] = biasGradient;
    return loss;
  }
}

function minimise(problem: Problem, maxSteps: number): LogisticWeights {
  const { size } = problem;
  let at = new Float64Array(size);
  at[size - 1] = problem.startBias();
  let gradient = new Float64Array(size);
  let loss = problem.evaluate(at, gradient);
  const start = Math.max(1e-12, norm(gradient));
  const steps: { readonly step: Float64Array; readonly change: Float64Array; readonly rho: number }[] = [];
  let next = new Float64Array(size);
  let nextGradient = new Float64Array(size);
  for (let iteration = 0; iteration < maxSteps && norm(gradient) > 1e-4 * start; iteration++) {
    const direction = descent(gradient, steps);
    let slope = dot(direction, gradient);
    if (slope >= 0) {
      // The memory is worn out: begin anew, straight down.
      steps.length = 0;
      for (let j = 0; j < size; j++) direction[j] = -(gradient[j] as number);
      slope = dot(direction, gradient);
    }
    let length = steps.length === 0 ? Math.min(1, 1 / norm(gradient)) : 1;
    let nextLoss = Number.POSITIVE_INFINITY;
    for (let tries = 0; tries < 30; tries++, length /= 2) {
      for (let j = 0; j < size; j++) next[j] = (at[j] as number) + length * (direction[j] as number);
      nextLoss = problem.evaluate(next, nextGradient);
      if (nextLoss <= loss + 1e-4 * length * slope) break;
    }
    if (!(nextLoss < loss)) break; // as low as the digits go
    remember(steps, at, next, gradient, nextGradient);
    const improved = loss - nextLoss;
    [at, next] = [next, at];
    [gradient, nextGradient] = [nextGradient, gradient];
    loss = nextLoss;
    if (improved <= 1e-7 * Math.max(1, Math.abs(loss))) break;
  }
  return { bias: at[size - 1] as number, weights: at.slice(0, size - 1) };
}

function remember(
  steps: { step: Float64Array; change: Float64Array; rho: number }[],
  at: Float64Array,
  next: Float64Array,
  gradient: Float64Array,
  nextGradient: Float64Array,
): void {
  const step = next.map((value, j) => value - (at[j] as number));
  const change = nextGradient.map((value, j) => value - (gradient[j] as number));
  const curvature = dot(step, change);
  if (curvature <= 1e-12) return;
  steps.push({ step, change, rho: 1 / curvature });
  if (steps.length > memory) steps.shift();
}

/** The two loops of L-BFGS: minus the inverse Hessian, as far as the last steps tell, times the gradient. */
function descent(
  gradient: Float64Array,
  steps: readonly { readonly step: Float64Array; readonly change: Float64Array; readonly rho: number }[],
): Float64Array {
  const direction = gradient.map((value) => -value);
  const alphas: number[] = [];
  for (const { step, change, rho } of steps.toReversed()) {
    const alpha = rho * dot(step, direction);
    alphas.unshift(alpha);
    for (let j = 0; j < direction.length; j++)
      direction[j] = (direction[j] as number) - alpha * (change[j] as number);
  }
  const last = steps.at(-1);
  if (last !== undefined) {
    const scale = 1 / (last.rho * dot(last.change, last.change));
    for (let j = 0; j < direction.length; j++) direction[j] = (direction[j] as number) * scale;
  }
  for (const [index, { step, change, rho }] of steps.entries()) {
    const beta = rho * dot(change, direction);
    const by = (alphas[index] as number) - beta;
    for (let j = 0; j < direction.length; j++)
      direction[j] = (direction[j] as number) + by * (step[j] as number);
  }
  return direction;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < a.length; j++) sum += (a[j] as number) * (b[j] as number);
  return sum;
}

function norm(a: Float64Array): number {
  return Math.sqrt(dot(a, a));
}
