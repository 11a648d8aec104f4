import { evalCase, planCase } from '@synapsekit/eval';
import { ManualClock } from '@synapsekit/testing';
import { expect, test } from 'vitest';
import { Progress } from './progress.ts';

const plan = ['slow one', 'other'].map((name) => planCase(evalCase(name, () => {})));

test('says what runs after a while, in one line that others clear', async () => {
  const clock = new ManualClock();
  let text = '';
  const progress = new Progress({ write: (part) => (text += part), columns: 30 }, clock);
  progress.onRunStart(plan);
  for (const [index, planned] of plan.entries()) progress.onCaseStart(planned, index);
  await clock.advance(299);
  expect(text).toBe('');
  await clock.advance(1);
  expect(text).toBe('\r\u001b[2K0/2 · 0.3 s · slow one, other');
  text = '';
  progress.hide();
  progress.hide();
  expect(text).toBe('\r\u001b[2K');
  await clock.advance(100);
  expect(text).toBe('\r\u001b[2K\r\u001b[2K0/2 · 0.4 s · slow one, other');
  progress.onRunEnd();
  expect(clock.pending).toBe(0);
});

test('is never longer than the terminal is wide', async () => {
  const clock = new ManualClock();
  const lines: string[] = [];
  const progress = new Progress({ write: (part) => lines.push(part), columns: 12 }, clock);
  progress.onRunStart(plan);
  for (const [index, planned] of plan.entries()) progress.onCaseStart(planned, index);
  await clock.advance(300);
  expect(lines.join('')).toBe('\r\u001b[2K0/2 · 0.3 s');
  progress.onRunEnd();
});
