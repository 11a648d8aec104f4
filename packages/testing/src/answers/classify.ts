import type { SimulatedChat } from '../provider/chat.ts';
import { type Complexity, complexities, complexityOf } from './complexity.ts';

/**
 * The label for a prompt that asks to classify a query as simple, medium or complex; `undefined` for any other
 * prompt.
 */
export function classification({ systemText, userText }: SimulatedChat): Complexity | undefined {
  if (asksToClassify(userText)) return complexityOf(queryIn(userText));
  if (asksToClassify(systemText)) return complexityOf(queryIn(userText));
  return undefined;
}

/** Log-probabilities of the two labels that did not come. */
export function otherLabels(label: Complexity): Record<string, number> {
  const rest = complexities.filter((other) => other !== label);
  return Object.fromEntries(rest.map((other, rank) => [other, -3.5 - rank * 2]));
}

function asksToClassify(text: string): boolean {
  return (
    /classif|complexity|categori[sz]e/i.test(text) &&
    complexities.every((label) => new RegExp(`\\b${label}\\b`, 'i').test(text))
  );
}

const label = /(?:^|\n)[ \t"']*(?:user |the )?(?:query|question|prompt|request|input|message)\s*:/gi;
const tags = /<(\w+)>([\s\S]*?)<\/\1>/g;
const fences = /(```|""")([\s\S]*?)\1/g;
const closing =
  /\n\s*(?:answer|label|complexity|class|classification|category|reply|respond|output)\b[^\n]*$/i;

/** The query in a prompt: between tags, behind "Query:", between fences, or the last line. */
function queryIn(text: string): string {
  // Examples come first, so the last match is the query itself.
  const tagged = [...text.matchAll(tags)].at(-1)?.[2];
  if (tagged !== undefined) return tagged;
  const labelled = [...text.matchAll(label)].at(-1);
  if (labelled !== undefined) {
    return text
      .slice(labelled.index + labelled[0].length)
      .trim()
      .replace(closing, '');
  }
  if (!asksToClassify(text)) return text;
  const instructed = text.trim().replace(closing, '');
  return [...instructed.matchAll(fences)].at(-1)?.[2] ?? instructed.split('\n').at(-1) ?? text;
}
