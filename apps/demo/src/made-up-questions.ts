import { numberAnswer } from '@synapsekit/router';

/** A question with the number that answers it. */
export interface MadeUpQuestion {
  readonly text: string;
  readonly answer: number;
  readonly kind: Kind;
  /** The sums that lead there. */
  readonly steps: readonly string[];
}

/** Easy for all; too much for small models; long but easy; impossible. */
type Kind = 'sum' | 'steps' | 'reading' | 'riddle';

/**
 * How often each model is right, by kind of question. Made up, so that there is something to learn: what routers are worth on
 * real outcomes stands in docs/router.md.
 */
const skills: Readonly<Record<string, Readonly<Record<Kind, number>>>> = {
  'llama-3.1-8b-instant': { sum: 1, steps: 0.35, reading: 0.97, riddle: 0.02 },
  'llama-3.3-70b-versatile': { sum: 1, steps: 0.75, reading: 0.98, riddle: 0.02 },
  'gpt-4o': { sum: 1, steps: 0.97, reading: 1, riddle: 0.03 },
};

const kinds: readonly Kind[] = ['sum', 'steps', 'reading', 'steps', 'riddle', 'sum', 'steps', 'reading'];
const goods = ['pens', 'apples', 'books', 'tiles', 'cards', 'stamps'];
const names = ['Ann', 'Ben', 'Cleo', 'Dan', 'Eva', 'Finn'];

/** Question number `index`: always the same one. */
export function madeUpQuestion(index: number): MadeUpQuestion {
  const kind = kinds[index % kinds.length] as Kind;
  const draw = (what: string, below: number): number => Math.floor(chance(`${index} ${what}`) * below);
  const [a, b, c] = [draw('a', 80) + 12, draw('b', 8) + 2, draw('c', 10) + 1];
  const good = goods[draw('good', goods.length)] as string;
  const name = names[draw('name', names.length)] as string;
  switch (kind) {
    case 'sum':
      return { kind, text: `What is ${a} + ${c}?`, answer: a + c, steps: [`${a} + ${c} = ${a + c}`] };
    case 'steps':
      return {
        kind,
        text: `${name} has ${a} boxes of ${b} ${good} and gives away ${c}. How many ${good} are left?`,
        answer: a * b - c,
        steps: [`${a} * ${b} = ${a * b}`, `${a * b} - ${c} = ${a * b - c}`],
      };
    case 'reading':
      return {
        kind,
        text: `${story(name, good)} The shop is at number ${a} of the street. What is the number of the shop?`,
        answer: a,
        steps: [],
      };
    default:
      return {
        kind,
        text: `${name} thinks of a number between ${a} and ${a * b}. Which one is it?`,
        answer: a + draw('riddle', a * b - a),
        steps: [],
      };
  }
}

/** True when an answer comes to the right number. */
export function isRight(question: MadeUpQuestion, answer: string): boolean {
  return numberAnswer(answer) === String(question.answer);
}

/** What a model says to a question: right as often as it can, and wrong in the ways that models are. */
export function madeUpAnswer({ text, kind, answer, steps }: MadeUpQuestion, model: string): string {
  const right = chance(`${model} ${text}`) < (skills[model]?.[kind] ?? 0);
  if (kind === 'riddle')
    return right ? `It might be ${answer}.` : `It might be ${answer + 1}, but that is not sure.`;
  if (right) return `${[...steps, ''].join('. ')}The answer is ${answer}.`;
  const way = chance(`way ${model} ${text}`);
  const off = answer + 1 + Math.floor(chance(`off ${model} ${text}`) * 9);
  const [first = `${answer}`] = steps;
  // Breaks off; calculates wrongly; or is wrong without a sign of it.
  if (way < 0.3) return `${first}. From this we have to take`;
  if (way < 0.65) return `${first.replace(/\d+$/, `${off}`)}. The answer is ${off}.`;
  return `${first}. The answer is ${off}.`;
}

function story(name: string, good: string): string {
  return (
    `${name} opened a small shop for ${good} last spring, after a long winter of painting, of hammering and of waiting for ` +
    'letters from the town hall. The neighbours came on the first day, some of them out of curiosity and some with cake, and ' +
    `in the evening there was hardly anything left on the shelves but a box of ${good} that nobody had seen behind the door.`
  );
}

/** A number from 0 to 1 that is the same for the same words (FNV-1a, mixed). */
function chance(words: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < words.length; i++) hash = Math.imul(hash ^ words.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
