import { util } from './node-builtins.ts';

/** Colours a text for a terminal, or leaves it as it is. */
export type Paint = (style: 'green' | 'red' | 'yellow' | 'dim' | 'bold', text: string) => string;

/** @param color false leaves every text as it is. */
export function createPaint(color: boolean): Paint {
  if (!color) return (_, text) => text;
  // Whether the stream takes colours was decided by whoever asks.
  return (style, text) => util.styleText(style, text, { validateStream: false });
}
