import { builtInAnswer } from '../answers/built-in-answer.ts';
import type { ValidChat } from './chat.ts';
import { type AnswerFunction, checkAnswer, type ScriptedAnswer } from './scripted-answer.ts';

/** Where answers come from: the queue first, then the user's function, then the built-in rules. */
export class AnswerSource {
  readonly #function: AnswerFunction | undefined;
  #queue: ScriptedAnswer[] = [];

  /** @throws ConfigError for an answer in the list that is none. */
  constructor(answers: AnswerFunction | readonly (string | ScriptedAnswer)[] = []) {
    if (typeof answers === 'function') this.#function = answers;
    else this.push(answers);
  }

  push(answers: readonly (string | ScriptedAnswer)[]): void {
    this.#queue.push(...answers.map(checkAnswer));
  }

  clear(): void {
    this.#queue = [];
  }

  async next(chat: ValidChat): Promise<ScriptedAnswer> {
    const queued = this.#queue.shift();
    if (queued !== undefined) return queued;
    const own = await this.#function?.(chat);
    return own === undefined ? builtInAnswer(chat, chat.served.reasoning) : checkAnswer(own);
  }
}
