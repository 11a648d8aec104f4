import { describeLLM } from '@synapsekit/testing/contracts';
import { OpenAICompatibleLLM } from './openai-compatible-llm.ts';

describeLLM('OpenAICompatibleLLM', ({ simulated, apiKey, config }) => {
  const baseURL = simulated.openaiBaseURL;
  return new OpenAICompatibleLLM({ host: 'vllm', model: 'gpt-4o-mini', baseURL, apiKey, config });
});
