import { complexityOf } from './complexity.ts';

const fillers = new Set(
  `a about an and are as at be by can could did do does explain for from give had has have how i in is it its me my of
  on or our please should show tell than that the their them then there these they this to was we were what what's
  when where which who why will with would write you your describe summarise summarize compare implement`.split(
    /\s+/,
  ),
);

/** The words that a question is about, in its order, each once; at most `max`. */
export function topicWords(question: string, max = 6): string[] {
  const words = question.toLowerCase().match(/[\p{L}\p{N}][\p{L}\p{N}'+#-]*/gu) ?? [];
  return [...new Set(words.filter((word) => !fillers.has(word)))].slice(0, max);
}

/** An answer to any question: about its words, as long as such a question deserves, and always the same. */
export function composedAnswer(question: string): string {
  const words = topicWords(question);
  if (words.length === 0) return 'Could you tell me a little more about what you would like to know?';
  const topic = listed(words.slice(0, 4));
  const [first = topic, second = first, third = second] = words;
  const short = `As for ${topic}: it depends on the case at hand, and most often the usual answer holds.`;
  const kind = complexityOf(question);
  if (kind === 'simple') return short;
  const middle = [
    `Your question is about ${topic}.`,
    `First, ${first}: it sets the frame. What it is for decides most of the rest, so start there and write down what it must do and what it must never do.`,
    `Second, ${second}: this is where choices are made. Compare two or three options by the same measures (effort, risk, cost), and prefer the one that is easiest to change later.`,
    `Finally, ${third}: check it with a small example before you rely on it. If the example surprises you, the first step was not clear enough.`,
    `In short, look at ${topic} in this order, and keep each step small.`,
  ];
  if (kind === 'medium') return middle.join('\n\n');
  return [...middle.slice(0, -1), ...depth(words, question), middle.at(-1)].join('\n\n');
}

function depth(words: readonly string[], question: string): string[] {
  const sections = words.map(
    (word, index) =>
      `${index + 1}. ${capitalised(word)}. State what goes in and what comes out. Then list what can go wrong: too much of it, none of it, and two of it at once. For each, decide whether ${word} refuses, waits or goes on, and say so where it is used.`,
  );
  const wantsCode = /\b(code|function|implement|class|script|program|python|algorithm)\b/i.test(question);
  return wantsCode ? [...sections, sketch(words)] : sections;
}

function sketch(words: readonly string[]): string {
  const name = words.slice(0, 3).join('_').replace(/\W+/g, '_') || 'solve';
  return [
    '```python',
    `def ${/^\d/.test(name) ? `f_${name}` : name}(items: list) -> list:`,
    '    """Keep what is valid, in order, each item once."""',
    '    seen, result = set(), []',
    '    for item in items:',
    '        if item is not None and item not in seen:',
    '            seen.add(item)',
    '            result.append(item)',
    '    return result',
    '```',
  ].join('\n');
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
