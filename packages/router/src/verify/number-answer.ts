const number = /(?<![\w.])[-−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?!\w)|(?<![\w.])\.\d+/gu;
/** Where an answer is announced: what stands behind the last of these is the answer. */
const announced =
  /(?:####|\\boxed\s{0,8}\{|\banswer\s{0,8}(?:is|:|=)|\bresult\s{0,8}(?:is|:|=))[\s*$€£:=({]{0,40}([^\n]{0,200})/giu;

/** Answers say what they come to at their end: of longer ones no more than that is looked at. */
const lastChars = 16_384;

/** All numbers of a text, in its order; `"1,200"` is one, `"B2"` is none. */
export function numbersIn(text: string): readonly number[] {
  return Array.from(text.matchAll(number), ([found]) => toNumber(found)).filter(Number.isFinite);
}

/**
 * The number that an answer comes to: behind its last announcement (`#### 540`, `\boxed{540}`, `The answer is $540.`),
 * or else its last number. `undefined` when there is none. Of an answer of more than 16,384 characters, the end is read.
 */
export function finalNumber(answer: string): number | undefined {
  const text = answer.slice(-lastChars);
  const marked = Array.from(text.matchAll(announced)).at(-1)?.[1];
  if (marked !== undefined) {
    const first = firstValue(marked);
    if (first !== undefined) return first;
  }
  return numbersIn(text).at(-1);
}

/** The first number of a text; `3/4` and `\frac{3}{4}` are one. */
function firstValue(text: string): number | undefined {
  const fraction =
    /^\s*\\[dt]?frac\{(\d+)\}\{(\d+)\}/u.exec(text) ?? /^\s*(\d+)\s*\/\s*(\d+)(?![\d/])/u.exec(text);
  if (fraction !== null) {
    const value = Number(fraction[1]) / Number(fraction[2]);
    if (Number.isFinite(value)) return value;
  }
  return numbersIn(text)[0];
}

function toNumber(text: string): number {
  return Number(text.replaceAll(',', '').replace('−', '-'));
}
