import type { SimulatedChat } from '../provider/chat.ts';
import type { ScriptedToolCall } from '../provider/scripted-answer.ts';
import { messageText, type WireTool } from '../provider/wire.ts';
import { topicWords } from './compose.ts';
import { plainAnswer } from './plain-answer.ts';
import { valueForSchema } from './schema-value.ts';

/** The calls that this chat asks for: those that `tool_choice` forces, or those that the question is about. */
export function toolCallsFor(chat: SimulatedChat): readonly ScriptedToolCall[] {
  const { body } = chat;
  const tools = (body.tools ?? []).filter(({ type }) => type === 'function');
  if (tools.length === 0 || body.tool_choice === 'none') return [];
  // With results on the table it is time to answer, unless the request insists.
  const answered = chat.messages.at(-1)?.role === 'tool';
  const forced = typeof body.tool_choice === 'object' ? body.tool_choice?.function?.name : undefined;
  if (forced !== undefined)
    return callsOf(
      tools.filter((tool) => tool.function.name === forced),
      chat,
    );
  if (answered && body.tool_choice !== 'required') return [];

  const ranked = tools
    .map((tool) => ({ tool, score: relevance(tool, chat.userText) }))
    .sort((a, b) => b.score - a.score);
  const wanted = ranked.filter(({ score }) => score >= namedScore).map(({ tool }) => tool);
  const [best] = ranked;
  if (wanted.length > 0)
    return callsOf(body.parallel_tool_calls === false ? wanted.slice(0, 1) : wanted, chat);
  const needed = body.tool_choice === 'required' || (best !== undefined && best.score >= describedScore);
  return best !== undefined && needed ? callsOf([best.tool], chat) : [];
}

/** An answer from the results of tools; `undefined` when the last message is none. */
export function answerFromTools({ messages }: SimulatedChat): string | undefined {
  if (messages.at(-1)?.role !== 'tool') return undefined;
  const calls = messages.findLast(({ role }) => role === 'assistant')?.tool_calls ?? [];
  const results = messages.slice(messages.findLastIndex(({ role }) => role === 'assistant') + 1);
  const said = results.map((result) => {
    const name = calls.find(({ id }) => id === result.tool_call_id)?.function.name ?? 'the tool';
    return `According to ${name}: ${inWords(messageText(result))}.`;
  });
  return said.join(' ');
}

function callsOf(tools: readonly WireTool[], { userText }: SimulatedChat): readonly ScriptedToolCall[] {
  const hints = { question: userText, answer: () => plainAnswer(userText), label: undefined };
  return tools.map(({ function: { name, parameters } }) => ({
    name,
    arguments: valueForSchema({ type: 'object', ...parameters }, hints),
  }));
}

/** From here on the question names the tool. */
const namedScore = 10;
/** From here on the question sounds like the tool's description. */
const describedScore = 2;
const tooCommon = new Set([
  'tool',
  'function',
  'current',
  'given',
  'value',
  'return',
  'returns',
  'data',
  'call',
  'make',
]);

/** How much a question is about a tool: 10 for each word of its name, 1 for each word of its description. */
function relevance({ function: { name, description = '' } }: WireTool, question: string): number {
  const asked = new Set(stems(question));
  const count = (text: string): number => stems(text).filter((stem) => asked.has(stem)).length;
  return count(name.replace(/[_-]+|(?<=[a-z])(?=[A-Z])/g, ' ')) * namedScore + count(description);
}

function stems(text: string): string[] {
  return topicWords(text, 200)
    .filter((word) => !tooCommon.has(word) && word.length > 2)
    .map((word) => word.replace(/'s$/, '').replace(/(?:ing|ed|es|s)$/, ''));
}

/** A result as a phrase: the members of an object one by one, anything else as it is. */
function inWords(result: string): string {
  let value: unknown = result;
  try {
    value = JSON.parse(result);
  } catch {
    // plain text
  }
  if (typeof value !== 'object' || value === null) return String(value).replace(/\.$/, '');
  const members = Object.entries(value).map(
    ([key, member]) =>
      `${Array.isArray(value) ? '' : `${key.replace(/_/g, ' ')} `}${typeof member === 'object' ? JSON.stringify(member) : String(member)}`,
  );
  return members.join(', ') || 'nothing';
}
