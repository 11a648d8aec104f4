/** Lines of an outcomes file in which it is the topic that says who gains. */
export function outcomeLines(
  count: number,
  models: readonly string[] = ['small', 'large'],
  costed: readonly string[] = models,
): string {
  let state = 7;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const topics = [
    { words: ['prove', 'theorem', 'lemma', 'integral'], chances: [0.2, 0.9], cycles: 2 },
    { words: ['capital', 'city', 'country', 'river'], chances: [0.92, 0.97], cycles: 2 },
    { words: ['riddle', 'lottery', 'dice', 'guess'], chances: [0.05, 0.06], cycles: 5 },
  ] as const;
  const costs: Readonly<Record<string, number>> = { small: 0.0002, large: 0.004 };
  return Array.from({ length: count }, (_, index) => {
    const topic = topics[Math.floor(random() * topics.length)] ?? topics[0];
    const words = Array.from(
      { length: topic.cycles * 3 + Math.floor(random() * 6) },
      () => topic.words[Math.floor(random() * topic.words.length)],
    );
    const outcomes = Object.fromEntries(
      models.map((model) => [
        model,
        {
          score: random() < (model === 'small' ? topic.chances[0] : topic.chances[1]) ? 1 : 0,
          ...(costed.includes(model) && { costUsd: costs[model] }),
        },
      ]),
    );
    return `${JSON.stringify({ id: `${index}`, prompt: `${words.join(' ')} ${index}`, outcomes })}\n`;
  }).join('');
}
