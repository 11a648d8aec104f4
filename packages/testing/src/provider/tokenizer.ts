/** Counts and splits text as models see it. */
export interface Tokenizer {
  /** Tokens of a text. Linear in its length, whatever the text. */
  count(text: string): number;
  /** Token ids of a text. */
  encode(text: string): number[];
  /** The text token by token; tokens that share a character stay together. Joined it is the text again. */
  pieces(text: string): string[];
}

/** Tokenizers take quadratic time on a run without a break; longer ones are cut. */
const longestRun = 400;
const longRun = new RegExp(`\\S{${longestRun}}(?=\\S)|\\s{${longestRun}}(?=\\s)`, 'gu');
/** `<|endoftext|>` in a prompt is text, not a command. */
const asText: { disallowedSpecial: Set<string> } = { disallowedSpecial: new Set() };

/**
 * The tokenizer of gpt-4o (`o200k_base`), used for every simulated model. Loaded when first needed: it takes some
 * hundred milliseconds and 70 MB, which whoever only wants a clock shall not pay.
 */
export async function loadTokenizer(): Promise<Tokenizer> {
  const { countTokens, decodeGenerator, encode } = await import('gpt-tokenizer/encoding/o200k_base');
  const encodeAll = (text: string): number[] => boundedParts(text).flatMap((part) => encode(part, asText));
  return {
    count: (text) => boundedParts(text).reduce((sum, part) => sum + countTokens(part, asText), 0),
    encode: encodeAll,
    pieces: (text) => [...decodeGenerator(encodeAll(text.toWellFormed()))].filter((piece) => piece !== ''),
  };
}

function boundedParts(text: string): string[] {
  if (text.length <= longestRun) return [text];
  const parts: string[] = [];
  let start = 0;
  for (const { index, 0: run } of text.matchAll(longRun)) {
    parts.push(text.slice(start, index + run.length));
    start = index + run.length;
  }
  parts.push(text.slice(start));
  return parts;
}
