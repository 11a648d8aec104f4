export { OpenAILLM, type OpenAILLMOptions } from './openai-llm.ts';
