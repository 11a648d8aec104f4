/** What a question is about, and the answer. */
export interface KnownAnswer {
  /** Words that must all be in the question. */
  readonly about: readonly RegExp[];
  readonly answer: string;
}

/** Short answers to questions of fact. */
export const facts: readonly KnownAnswer[] = [
  { about: [/\bcapital\b/i, /\bfrance\b/i], answer: 'The capital of France is Paris.' },
  { about: [/\bcapital\b/i, /\bgermany\b/i], answer: 'The capital of Germany is Berlin.' },
  { about: [/\bcapital\b/i, /\bitaly\b/i], answer: 'The capital of Italy is Rome.' },
  { about: [/\bcapital\b/i, /\bspain\b/i], answer: 'The capital of Spain is Madrid.' },
  { about: [/\bcapital\b/i, /\bjapan\b/i], answer: 'The capital of Japan is Tokyo.' },
  { about: [/\bcapital\b/i, /\baustralia\b/i], answer: 'The capital of Australia is Canberra.' },
  {
    about: [/\bhttp\b/i, /\b(stand|mean|acronym|abbreviation)/i],
    answer:
      'HTTP stands for Hypertext Transfer Protocol. It is the protocol by which browsers and servers exchange web pages.',
  },
  {
    about: [/\bhttps\b/i, /\b(stand|mean|acronym|abbreviation)/i],
    answer: 'HTTPS stands for Hypertext Transfer Protocol Secure: HTTP inside an encrypted TLS connection.',
  },
  {
    about: [/romeo and juliet/i, /\b(who|author|wrote|written)\b/i],
    answer: 'William Shakespeare wrote Romeo and Juliet, around 1595.',
  },
  {
    about: [
      /\bpython\b/i,
      /\b(year|when|first|released|created|release)\b/i,
      /\b(released?|created|appear|come out|first)\b/i,
    ],
    answer: 'Python was first released in 1991, by Guido van Rossum.',
  },
  {
    about: [/\bwho\b/i, /\b(created|invented|made)\b/i, /\bpython\b/i],
    answer: 'Guido van Rossum created Python.',
  },
  { about: [/boiling point/i, /\bwater\b/i], answer: 'Water boils at 100 °C (212 °F) at sea level.' },
  { about: [/\blargest\b/i, /\bplanet\b/i], answer: 'Jupiter is the largest planet of the solar system.' },
  { about: [/speed of light/i], answer: 'Light travels at 299,792,458 metres per second in a vacuum.' },
  {
    about: [/^\s*(hi|hello|hey|good (morning|afternoon|evening))\b[^?]{0,30}$/i],
    answer: 'Hello! What can I do for you?',
  },
];
