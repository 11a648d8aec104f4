import { describeLLM } from '@synapsekit/testing/contracts';
import { GroqLLM } from './groq-llm.ts';

describeLLM('GroqLLM', ({ simulated, apiKey, config }) => {
  return new GroqLLM({ model: 'llama-3.1-8b-instant', baseURL: simulated.groqBaseURL, apiKey, config });
});
