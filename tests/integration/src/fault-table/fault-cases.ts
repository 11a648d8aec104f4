import type { FaultGroup, Seen } from './fault-case.ts';

/**
 * The fault table: what the tests beside it check, cell by cell, and what docs/faults.md shows. Change it here, run
 * `pnpm docs:faults`, and see the tests agree.
 */

type Money = Pick<Seen, 'billed' | 'tracker' | 'guard'>;

const free: Money = { billed: 'nothing', tracker: 'nothing', guard: 'same' };
const exact: Money = { billed: 'all', tracker: 'all, actual, as billed', guard: 'same' };
/** Sent, nothing came back, and the provider had not begun. */
const lostBefore: Money = { billed: 'nothing', tracker: 'input, estimated, more', guard: 'held' };
/** Sent, and an answer in one piece was lost on its way: the provider had made all of it. */
const lostAnswer: Money = { billed: 'all', tracker: 'input, estimated, less', guard: 'held' };
/** A stream that was lost before anything of it came. */
const lostStream: Money = { billed: 'input', tracker: 'input, estimated, as billed', guard: 'held' };
/** A stream that had begun, without a word yet. */
const wordless: Money = { billed: 'input', tracker: 'input, estimated, as billed', guard: 'same' };
const cutShort: Money = {
  billed: 'input + part',
  tracker: 'input + part, estimated, as billed',
  guard: 'same',
};

const ill = { breaker: 'failure', retried: true, failover: 'yes' } as const;
/** As `ill`, but the caller has had content: nothing starts over. */
const begun = { breaker: 'failure', retried: false, failover: 'no' } as const;
const throttled = { breaker: 'neutral', retried: true, failover: 'yes' } as const;
const elsewhere = { breaker: 'neutral', retried: false, failover: 'yes' } as const;
const final = { breaker: 'neutral', retried: false, failover: 'no' } as const;
const well = { breaker: 'success', retried: false, failover: 'no' } as const;

const answer: Seen = { caller: 'answer', ...well, ...exact };
const failed = (what: string): string => `\`ProviderError\` ${what}`;
const timedOut = (phase: string): string => `\`CallTimeoutError\` ${phase}`;
const aborted = 'its own `signal.reason`';
const connection = failed('connection');
const malformed: Seen = { caller: failed('malformed'), ...ill, ...lostBefore };

/** Broken off before anything came. */
const brokenBefore = {
  generate: { caller: connection, ...ill, ...lostAnswer },
  stream: { caller: connection, ...ill, ...lostStream },
};
/** Broken off after the head of the answer. */
const brokenAtContent = {
  generate: { caller: connection, ...ill, ...lostAnswer },
  stream: { caller: connection, ...ill, ...wordless },
};
/** Broken off midway. */
const brokenMidway = {
  generate: { caller: connection, ...ill, ...lostAnswer },
  stream: { caller: `${connection}, emitted`, ...begun, ...cutShort },
};
const endedMidway = {
  generate: { caller: connection, ...ill, ...lostAnswer },
  stream: { caller: failed('truncated, emitted'), ...begun, ...cutShort },
};
const errorMidway = {
  generate: { caller: failed('server 500'), ...ill, ...free },
  stream: { caller: failed('server, emitted'), ...begun, ...cutShort },
};

export const faultGroups: readonly FaultGroup[] = [
  {
    title: 'The provider is ill',
    about:
      'Error answers that count against it. They are free, they are asked again, and somebody else may be asked.',
    cases: [
      {
        what: 'The server has an error',
        order: ['serverError'],
        seen: { caller: failed('server 500'), ...ill, ...free },
      },
      {
        what: 'The server is overloaded, or there is an outage',
        order: ['overloaded'],
        seen: { caller: failed('server 503'), ...ill, ...free },
      },
      {
        what: 'The same, and it asks to wait for two minutes: longer than `maxRetryAfterMs`',
        order: ['overloaded', { retryAfter: 120 }],
        seen: { caller: failed('server 503, wait 120 s'), ...ill, retried: false, ...free },
      },
      {
        what: 'It gave up waiting for the request',
        order: ['status', 408],
        seen: { caller: failed('server 408'), ...ill, ...free },
      },
      {
        what: 'A gateway in between fails, with a web page',
        order: ['status', 502, { body: '<html>Bad gateway</html>' }],
        seen: { caller: failed('server 502'), ...ill, ...free },
      },
      {
        what: 'A gateway in between gave up waiting',
        order: ['status', 504],
        seen: { caller: failed('server 504'), ...ill, ...free },
      },
      {
        what: 'Overloaded, in the words of others',
        order: ['status', 529],
        seen: { caller: failed('server 529'), ...ill, ...free },
      },
    ],
  },
  {
    title: 'The provider says: slower, or no more',
    about: 'It is well, so no failure is counted. A quota that is used up opens the circuit all the same.',
    cases: [
      {
        what: 'A rate limit',
        order: ['rateLimited'],
        seen: { caller: failed('rate-limit 429'), ...throttled, ...free },
      },
      {
        what: 'A rate limit that may be tried again at once',
        order: ['rateLimited', { retryAfter: 0 }],
        seen: { caller: failed('rate-limit 429, wait 0 s'), ...throttled, ...free },
      },
      {
        what: 'A rate limit that asks to wait for two minutes',
        order: ['rateLimited', { retryAfter: 120 }],
        seen: { caller: failed('rate-limit 429, wait 120 s'), ...throttled, retried: false, ...free },
      },
      {
        what: 'No capacity in this service tier',
        order: ['capacityExceeded'],
        seen: { caller: failed('capacity 498'), ...throttled, ...free },
      },
      {
        what: 'A conflict',
        order: ['status', 409],
        seen: { caller: failed('conflict 409'), ...throttled, ...free },
      },
      {
        what: 'Too early',
        order: ['status', 425],
        seen: { caller: failed('conflict 425'), ...throttled, ...free },
      },
      {
        what: 'The quota is used up',
        order: ['outOfQuota'],
        seen: { caller: failed('quota 429'), ...elsewhere, breaker: 'opens', ...free },
      },
      {
        what: 'There is no credit left',
        order: ['status', 402],
        seen: { caller: failed('quota 402'), ...elsewhere, breaker: 'opens', ...free },
      },
    ],
  },
  {
    title: 'The provider refuses',
    about: 'It is well and will say the same again. Somebody else is asked only where that may help.',
    cases: [
      {
        what: 'There is no key',
        order: ['status', 401, { error: 'missing_api_key' }],
        seen: { caller: failed('auth 401'), ...elsewhere, ...free },
      },
      {
        what: 'The key is wrong',
        order: ['unauthorized'],
        seen: { caller: failed('auth 401'), ...elsewhere, ...free },
      },
      {
        what: 'The key may not do this',
        order: ['permissionDenied'],
        seen: { caller: failed('permission 403'), ...elsewhere, ...free },
      },
      {
        what: 'There is no such model',
        order: ['modelNotFound'],
        seen: { caller: failed('model-not-found 404'), ...elsewhere, failover: 'another model', ...free },
      },
      {
        what: 'The model is no longer served',
        order: ['modelDecommissioned'],
        seen: {
          openai: {
            caller: failed('model-not-found 404'),
            ...elsewhere,
            failover: 'another model',
            ...free,
          },
          groq: { caller: failed('model-not-found 400'), ...elsewhere, failover: 'another model', ...free },
        },
      },
      {
        what: 'The prompt is too long',
        order: ['contextLengthExceeded'],
        seen: { caller: failed('context-length 400'), ...elsewhere, failover: 'a larger window', ...free },
      },
      {
        what: 'The prompt is too long, disguised as an error of the server',
        order: [
          'status',
          500,
          {
            error: { message: "This model's maximum context length is 8192 tokens.", type: 'server_error' },
          },
        ],
        seen: { caller: failed('context-length 500'), ...elsewhere, failover: 'a larger window', ...free },
      },
      {
        what: 'The request is larger than the whole rate limit',
        order: [
          'status',
          413,
          {
            error: {
              message: 'Request too large on tokens per minute (TPM): Limit 6000, Requested 14810.',
              type: 'tokens',
              code: 'rate_limit_exceeded',
            },
          },
        ],
        seen: { caller: failed('too-large 413'), ...elsewhere, ...free },
      },
      {
        what: 'The content filter refuses',
        order: ['contentPolicyViolation'],
        seen: { caller: failed('content-filter 400'), ...final, ...free },
      },
      {
        what: 'The request is wrong',
        order: ['status', 400],
        seen: { caller: failed('bad-request 400'), ...final, ...free },
      },
      {
        what: 'The request cannot be processed',
        order: ['status', 422],
        seen: { caller: failed('bad-request 422'), ...final, ...free },
      },
    ],
  },
  {
    title: 'Status 200, and no answer',
    about:
      'The official clients take these for success. Whether anything was billed nobody can tell, so money is booked all the same.',
    cases: [
      { what: 'A web page: a proxy, a captive portal', order: ['html'], seen: malformed },
      { what: 'An empty object', order: ['emptyObject'], seen: malformed },
      { what: 'Half a JSON document', order: ['malformedJson'], seen: malformed },
      { what: 'An empty body', order: ['status', 200, { body: '' }], seen: malformed },
      {
        what: 'An answer without choices',
        order: ['status', 200, { body: { choices: [] } }],
        seen: malformed,
      },
    ],
  },
  {
    title: 'The connection is lost',
    about:
      'A client cannot tell whether the provider had begun. The tracker books what is known to have been sent and received; the guard books no less than the provider may bill.',
    cases: [
      {
        what: 'The port is closed: nothing was sent',
        order: 'refuse-connections',
        seen: { caller: connection, ...ill, ...free },
      },
      {
        what: 'Dropped before the model was asked',
        order: ['dropped'],
        seen: { caller: connection, ...ill, ...lostBefore },
      },
      {
        what: 'Closed before the model was asked',
        order: { cut: { at: 'arrival', how: 'hang-up' } },
        seen: { caller: connection, ...ill, ...lostBefore },
      },
      {
        what: 'Closed without an answer',
        order: { cut: { at: 'arrival', how: 'end' } },
        seen: { caller: connection, ...ill, ...lostBefore },
      },
      { what: 'Reset once the model has answered', order: ['reset', 'headers'], seen: brokenBefore },
      {
        what: 'Closed once the model has answered',
        order: { cut: { at: 'headers', how: 'hang-up' } },
        seen: brokenBefore,
      },
      {
        what: 'Ended once the model has answered',
        order: { cut: { at: 'headers', how: 'end' } },
        seen: brokenBefore,
      },
      { what: 'Reset after the head of the answer', order: ['reset', 'content'], seen: brokenAtContent },
      {
        what: 'Closed after the head of the answer',
        order: { cut: { at: 'content', how: 'hang-up' } },
        seen: brokenAtContent,
      },
      { what: 'Reset midway', order: ['reset', 'midway'], seen: brokenMidway },
      { what: 'Closed midway', order: { cut: { at: 'midway', how: 'hang-up' } }, seen: brokenMidway },
      { what: 'A body that is shorter than it says', order: ['shortBody'], seen: brokenMidway },
      { what: 'Reset after three pieces', order: ['resetAfter', 3], seen: brokenMidway },
      { what: 'Closed after three pieces', order: ['hangUpAfter', 3], seen: brokenMidway },
      {
        what: 'Keep-alives, and then a reset after three pieces',
        order: [
          ['keepAlives', 2],
          ['resetAfter', 3],
        ],
        seen: brokenMidway,
      },
    ],
  },
  {
    title: 'A stream ends too early',
    about:
      'The official clients end these streams as if they were complete. An answer in one piece has no early end: it is a lost connection, or the error itself.',
    cases: [
      {
        what: 'Ends before its first word',
        order: ['endAfter', 0],
        seen: {
          generate: { caller: connection, ...ill, ...lostAnswer },
          stream: { caller: failed('truncated'), ...ill, ...wordless },
        },
      },
      { what: 'Ends midway', order: { cut: { at: 'midway', how: 'end' } }, seen: endedMidway },
      { what: 'Ends after three pieces', order: ['endAfter', 3], seen: endedMidway },
      {
        what: 'Ends after its last word, without a finish reason',
        order: ['endAfter', 9_999],
        seen: {
          generate: { caller: connection, ...ill, ...lostAnswer },
          stream: {
            caller: failed('truncated, emitted'),
            ...begun,
            billed: 'all',
            tracker: 'all, estimated, as billed',
            guard: 'same',
          },
        },
      },
      {
        what: 'An error before the model is asked',
        order: { cut: { at: 'arrival', how: 'error' } },
        seen: { caller: failed('server 500'), ...ill, ...free },
      },
      {
        what: 'An error in place of the answer’s head',
        order: { cut: { at: 'headers', how: 'error' } },
        seen: { caller: failed('server 500'), ...ill, ...free },
      },
      {
        what: 'An error event before the first word',
        order: ['errorAfter', 0],
        seen: {
          generate: { caller: failed('server 500'), ...ill, ...free },
          stream: { caller: failed('server'), ...ill, ...free },
        },
      },
      { what: 'An error event after three pieces', order: ['errorAfter', 3], seen: errorMidway },
      {
        what: 'An error event midway',
        order: { cut: { at: 'midway', how: 'error' } },
        seen: errorMidway,
      },
      {
        what: 'A rate limit before the first word',
        order: ['errorAfter', 0, 'rate_limit_exceeded'],
        seen: {
          generate: { caller: failed('rate-limit 429'), ...throttled, ...free },
          stream: { caller: failed('rate-limit'), ...throttled, ...free },
        },
      },
      {
        what: 'A rate limit after three pieces',
        order: ['errorAfter', 3, 'rate_limit_exceeded'],
        seen: {
          generate: { caller: failed('rate-limit 429'), ...throttled, ...free },
          stream: { caller: failed('rate-limit, emitted'), ...final, ...cutShort },
        },
      },
    ],
  },
  {
    title: 'The provider is silent',
    about: 'Time limits of the model end the call: `timeoutMs`, `firstTokenTimeoutMs`, `idleTimeoutMs`.',
    cases: [
      {
        what: 'Silent before the model is asked',
        order: ['stall', 'arrival'],
        limits: { timeoutMs: 1_000 },
        seen: { caller: timedOut('total'), ...ill, ...lostBefore },
      },
      {
        what: 'Silent once the model has answered',
        order: ['stall', 'headers'],
        limits: { timeoutMs: 1_000 },
        seen: {
          generate: { caller: timedOut('total'), ...ill, ...lostAnswer },
          stream: { caller: timedOut('total'), ...ill, ...lostStream },
        },
      },
      {
        what: 'Silent after the head of the answer',
        order: ['stall', 'content'],
        stallsAfter: 0,
        limits: { timeoutMs: 1_000 },
        seen: {
          generate: { caller: timedOut('total'), ...ill, ...lostAnswer },
          stream: { caller: timedOut('total'), ...ill, ...wordless },
        },
      },
      {
        what: 'Silent before the first word, with a limit for it',
        order: ['stall', 'content'],
        stallsAfter: 0,
        only: 'stream',
        limits: { firstTokenTimeoutMs: 1_000 },
        seen: { caller: timedOut('first-token'), ...ill, ...wordless },
      },
      {
        what: 'Silent after three pieces',
        order: ['stall', 3],
        stallsAfter: 3,
        limits: { timeoutMs: 1_000 },
        seen: {
          generate: { caller: timedOut('total'), ...ill, ...lostAnswer },
          stream: { caller: timedOut('total, emitted'), ...begun, ...cutShort },
        },
      },
      {
        what: 'Silent after three pieces, with a limit between pieces',
        order: ['stall', 3],
        stallsAfter: 3,
        only: 'stream',
        limits: { idleTimeoutMs: 1_000 },
        seen: { caller: timedOut('idle, emitted'), ...begun, ...cutShort },
      },
    ],
  },
  {
    title: 'Something is missing, or slow',
    about: 'The answer is complete all the same, except for a stream that does not say why it ended.',
    cases: [
      {
        what: 'No usage: the tokenizer counts',
        order: ['missingUsage'],
        seen: { ...answer, tracker: 'all, estimated, as billed' },
      },
      {
        what: 'No finish reason',
        order: ['missingFinishReason'],
        seen: { generate: answer, stream: { caller: failed('truncated, emitted'), ...begun, ...exact } },
      },
      { what: 'No `[DONE]`', order: ['missingDone'], seen: answer },
      { what: 'Keep-alive comments between the pieces', order: ['keepAlives', 2], seen: answer },
      { what: 'Pieces without content', order: ['emptyDeltas', 2], seen: answer },
      { what: 'A line that drips', order: ['drip', 200, 0], seen: answer },
      { what: 'A pause midway', order: ['stall', 'midway', 5], seen: answer },
    ],
  },
  {
    title: 'The caller gives up',
    about: 'Nobody’s failure. It is booked all the same, since the provider bills it.',
    cases: [
      {
        what: 'Aborts before anything has come',
        order: ['stall', 'headers'],
        caller: 'aborts',
        seen: {
          generate: { caller: aborted, ...final, ...lostAnswer },
          stream: { caller: aborted, ...final, ...lostStream },
        },
      },
      {
        what: 'Aborts before the first word',
        order: ['stall', 'content'],
        stallsAfter: 0,
        caller: 'aborts',
        seen: {
          generate: { caller: aborted, ...final, ...lostAnswer },
          stream: { caller: aborted, ...final, ...wordless },
        },
      },
      {
        what: 'Aborts after three pieces',
        order: ['stall', 3],
        stallsAfter: 3,
        only: 'stream',
        caller: 'aborts',
        seen: { caller: aborted, ...final, ...cutShort },
      },
      {
        what: 'Leaves after three pieces (`break`)',
        order: ['stall', 3],
        stallsAfter: 3,
        only: 'stream',
        caller: 'leaves',
        seen: { caller: 'what came until then', ...well, ...cutShort },
      },
    ],
  },
];
