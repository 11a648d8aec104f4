import type { SimulatedChat } from '../provider/chat.ts';
import type { ScriptedAnswer } from '../provider/scripted-answer.ts';
import { classification, otherLabels } from './classify.ts';
import { topicWords } from './compose.ts';
import { jsonAnswer } from './json-answer.ts';
import { plainAnswer } from './plain-answer.ts';
import { answerFromTools, toolCallsFor } from './tool-use.ts';

/** The answer by rules: the same chat always gets the same one. `reasoning`: the model thinks first. */
export function builtInAnswer(chat: SimulatedChat, reasoning: boolean): ScriptedAnswer {
  const thoughts = reasoning ? { reasoning: thoughtsOn(chat) } : {};
  const toolCalls = toolCallsFor(chat);
  if (toolCalls.length > 0) return { ...thoughts, toolCalls };
  const label = classification(chat);
  const json = jsonAnswer(chat, label);
  if (json !== undefined) return { ...thoughts, text: json };
  if (label !== undefined) return { ...thoughts, text: label, alternatives: otherLabels(label) };
  return { ...thoughts, text: answerFromTools(chat) ?? plainAnswer(chat.userText) };
}

const sentences: Readonly<Record<string, number>> = {
  none: 0,
  minimal: 1,
  low: 1,
  medium: 2,
  high: 4,
  xhigh: 6,
};

/** What a reasoning model thinks: longer with more effort. */
function thoughtsOn({ userText, body }: SimulatedChat): string {
  const topic = topicWords(userText, 4).join(', ') || 'this';
  const thoughts = [
    `The user asks about ${topic}.`,
    'The answer should be direct and correct.',
    `What matters most about ${topic} comes first.`,
    'An example would make it clear, if there is room for one.',
    'Nothing here needs a caveat that would change the answer.',
    'That is enough to answer.',
  ];
  return thoughts.slice(0, sentences[body.reasoning_effort ?? 'medium'] ?? 2).join(' ');
}
