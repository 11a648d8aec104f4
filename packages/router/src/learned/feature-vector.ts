/** A sparse vector: rising or unordered indices, each once, with their values. */
export interface SparseVector {
  readonly indices: ArrayLike<number>;
  readonly values: ArrayLike<number>;
}

/** Sparse rows in one block of memory (compressed rows): what a model is trained on. */
export interface SparseMatrix {
  readonly rows: number;
  readonly columns: number;
  /** Where each row begins in `indices` and `values`; one more at the end. */
  readonly starts: Int32Array;
  readonly indices: Int32Array;
  readonly values: Float32Array;
}

/** Puts rows into one matrix. */
export function toSparseMatrix(vectors: readonly SparseVector[], columns: number): SparseMatrix {
  const builder = new SparseBuilder(columns);
  for (const { indices, values } of vectors) builder.add(indices, values, indices.length);
  return builder.build();
}

/** Collects rows. */
export class SparseBuilder {
  readonly #columns: number;
  readonly #starts: number[] = [0];
  #indices = new Int32Array(1 << 14);
  #values = new Float32Array(1 << 14);
  #length = 0;

  constructor(columns: number) {
    this.#columns = columns;
  }

  /** Adds the first `count` entries as a row. */
  add(indices: ArrayLike<number>, values: ArrayLike<number>, count: number): void {
    if (this.#length + count > this.#indices.length) this.#grow(this.#length + count);
    for (let i = 0; i < count; i++) {
      this.#indices[this.#length] = indices[i] ?? 0;
      this.#values[this.#length] = values[i] ?? 0;
      this.#length++;
    }
    this.#starts.push(this.#length);
  }

  build(): SparseMatrix {
    return {
      rows: this.#starts.length - 1,
      columns: this.#columns,
      starts: Int32Array.from(this.#starts),
      indices: this.#indices.slice(0, this.#length),
      values: this.#values.slice(0, this.#length),
    };
  }

  #grow(atLeast: number): void {
    const size = Math.max(atLeast, this.#indices.length * 2);
    const indices = new Int32Array(size);
    const values = new Float32Array(size);
    indices.set(this.#indices);
    values.set(this.#values);
    this.#indices = indices;
    this.#values = values;
  }
}
