import { ConfigError } from '@synapsekit/core';

/** Weights as they stand in a model file: a byte each, and what a step of it is worth. */
export interface Int8Weights {
  /** What 127 stands for, divided by 127. */
  readonly scale: number;
  /** Signed bytes, base64. */
  readonly data: string;
}

/** Rounds weights to a byte each. On routing data this costs nothing that can be measured. */
export function packWeights(weights: ArrayLike<number>): Int8Weights {
  let largest = 0;
  for (let j = 0; j < weights.length; j++) largest = Math.max(largest, Math.abs(weights[j] ?? 0));
  const scale = largest === 0 ? 1 : toFloat32(largest / 127);
  const bytes = Int8Array.from(weights, (weight) => Math.round(weight / scale));
  return { scale, data: Buffer.from(bytes.buffer).toString('base64') };
}

/**
 * Reads packed weights.
 *
 * @throws ConfigError when they are not `length` bytes of base64, or the scale is no number.
 */
export function unpackWeights(packed: Int8Weights, length: number, what: string): Float32Array {
  const { scale, data } = packed ?? {};
  if (typeof scale !== 'number' || !Number.isFinite(scale) || typeof data !== 'string') {
    throw new ConfigError(`${what} must be { scale, data }.`, { option: what });
  }
  const bytes = Buffer.from(data, 'base64');
  if (bytes.length !== length) {
    throw new ConfigError(`${what} must hold ${length} weights, it holds ${bytes.length}.`, { option: what });
  }
  return Float32Array.from(new Int8Array(bytes.buffer, bytes.byteOffset, length), (byte) => byte * scale);
}

/** Few digits in the file, and the same number on every machine. */
function toFloat32(value: number): number {
  return Number(Math.fround(value).toPrecision(6));
}
