export { type Host, type HostName, hosts } from './hosts.ts';
export { OpenAICompatibleLLM, type OpenAICompatibleLLMOptions } from './openai-compatible-llm.ts';
