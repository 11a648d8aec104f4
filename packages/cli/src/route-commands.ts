import type { CommandGroup } from './command.ts';

/** `synapsekit route` */
export const routeCommands: CommandGroup = {
  name: 'route',
  about:
    'Learns from your own outcomes which queries gain by the dearer model, and says what that is worth.\n' +
    'An outcomes file holds one JSON object a line, gzipped or not:\n\n' +
    '  {"id": "1", "group": "billing", "prompt": "…", "outcomes": {\n' +
    '    "gpt-4o-mini": {"score": 1, "costUsd": 0.0002, "latencyMs": 900, "response": "…"},\n' +
    '    "gpt-4o": {"score": 1, "costUsd": 0.003}}}\n\n' +
    'score: from 0 (wrong) to 1 (right). group, costUsd, latencyMs and response may be left out.',
  commands: new Map([
    [
      'eval',
      {
        summary: 'What routers are worth on your outcomes, beside random, prompt length and an oracle.',
        load: async () => (await import('./route-eval-command.ts')).routeEvalCommand,
      },
    ],
    [
      'train',
      {
        summary: 'Train a router of some 50 KB that predicts the gain of each query.',
        load: async () => (await import('./route-train-command.ts')).routeTrainCommand,
      },
    ],
    [
      'calibrate',
      {
        summary: 'Find the threshold that keeps a promise of quality, cost or share.',
        load: async () => (await import('./route-calibrate-command.ts')).routeCalibrateCommand,
      },
    ],
  ]),
  notes: 'Log outcomes, eval, train, calibrate, deploy: docs/router.md has the whole loop with its figures.',
};
