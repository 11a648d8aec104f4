/** The simulated provider in a process of its own: what it computes is none of the clients' time. */
import { SimulatedProvider } from '@synapsekit/testing';

const provider = await SimulatedProvider.start({ maxRecords: 1, answers: () => process.argv[2] ?? 'Paris.' });
process.send?.({ openai: provider.openaiBaseURL, groq: provider.groqBaseURL });
process.on('disconnect', () => void provider.close());
