import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { ConfigError } from '@synapsekit/core';

/** Weights as they stand in a model file: a byte each, and what a step of it is worth. */
export interface Int8Weights {
  /** What 127 stands for, divided by 127. */
  readonly scale: number;
  /** Signed bytes, deflated, base64. */
  readonly data: string;
}

/**
 * Rounds weights to a byte each, and writes them as short as they are. On routing data rounding costs nothing that can be
 * measured, and most bytes are near zero: they take less than half of their room.
 */
export function packWeights(weights: ArrayLike<number>): Int8Weights {
  let largest = 0;
  for (let j = 0; j < weights.length; j++) largest = Math.max(largest, Math.abs(weights[j] ?? 0));
  const scale = largest === 0 ? 1 : toFloat32(largest / 127);
  const bytes = Int8Array.from(weights, (weight) => Math.round(weight / scale));
  // Runs and frequencies only: looking for repeats finds none here, and how it is done differs between machines.
  const packed = deflateRawSync(bytes, { level: 9, strategy: constants.Z_RLE });
  return { scale, data: packed.toString('base64') };
}

/**
 * Reads packed weights.
 *
 * @throws ConfigError when they are not `length` bytes, deflated and in base64, or the scale is no number.
 */
export function unpackWeights(packed: Int8Weights, length: number, what: string): Float32Array {
  const { scale, data } = packed ?? {};
  if (typeof scale !== 'number' || !Number.isFinite(scale) || typeof data !== 'string') {
    throw new ConfigError(`${what} must be { scale, data }.`, { option: what });
  }
  const bytes = inflated(data, length);
  if (bytes?.length !== length) {
    const found =
      bytes === undefined ? 'what it holds is broken, cut off or too long' : `it holds ${bytes.length}`;
    throw new ConfigError(`${what} must hold ${length} weights, ${found}.`, { option: what });
  }
  return Float32Array.from(new Int8Array(bytes.buffer, bytes.byteOffset, length), (byte) => byte * scale);
}

function inflated(data: string, length: number): Buffer | undefined {
  try {
    return inflateRawSync(Buffer.from(data, 'base64'), { maxOutputLength: length + 1 });
  } catch {
    return undefined;
  }
}

/** Few digits in the file, and the same number on every machine. */
function toFloat32(value: number): number {
  return Number(Math.fround(value).toPrecision(6));
}
