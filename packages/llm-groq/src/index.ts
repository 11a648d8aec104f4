export { GroqLLM, type GroqLLMOptions } from './groq-llm.ts';
