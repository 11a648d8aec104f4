import {
  adapterNames,
  expectedOf,
  type FaultCase,
  type FaultGroup,
  modesOf,
  type NamedFault,
  type Order,
  type Seen,
} from './fault-case.ts';
import { namedFaults } from './order.ts';

/** docs/faults.md, from the table that the tests check. */
export function faultPage(groups: readonly FaultGroup[]): string {
  return [intro, ...groups.map(section)].join('');
}

const intro = `<!-- Written by \`pnpm docs:faults\` from tests/integration/src/fault-table/fault-cases.ts. Do not edit. -->

# What happens when a provider fails

Everything that can go wrong at a provider, and what becomes of the call. Each line is a test: the official \`openai\` and \`groq-sdk\` clients, over HTTP, against the simulated provider of \`@synapsekit/testing\`, through the whole stack:

\`\`\`text
wrap(llm, retry(), enforceBudget(guard), breakOn(breaker), trackCost(tracker))
\`\`\`

\`OpenAILLM\` and \`GroqLLM\` do the same everywhere, except where a line names them.

- **Call**: \`generate\`, \`stream\`, or both.
- **The caller gets**: an answer, or this error from one attempt: its class, kind (or phase) and HTTP status. A \`ProviderError\` has the code \`provider\`, a \`CallTimeoutError\` the code \`timeout\`. _Emitted_ means that content had been handed out: \`error.emitted\` is true, and nothing starts over.
- **Breaker**: what the circuit breaker counts. _Opens_: at once, for as long as the provider asks, or 15 minutes.
- **Retry**: whether \`retry()\` asks the same model again.
- **Failover**: whether \`fallbackChain\` (or a router) asks somebody else: anybody, only another model, or only one with a larger context window.
- **Billed**: what the provider charges for the attempt. Input and output are those of the model's own tokenizer.
- **Booked**: what \`trackCost\` and \`enforceBudget\` make of it, with \`trackTokens: true\`; by one word where they agree. _Estimated_: counted here, since the provider did not say. _The hold_: all that was reserved for the call.

Where a client cannot know whether an answer was made, the tracker books the input, which may be less than the bill, and the guard books the hold (\`onLostCall: "book"\`): **in no line does a budget count less than the provider bills**. One thing is beyond every client, and in no table: what is still on the line when a caller leaves, or when a connection is reset, is billed, and nobody here has seen it. \`pnpm soak\` measures how much that is.
`;

const head = [
  'What goes wrong',
  'Call',
  'The caller gets',
  'Breaker',
  'Retry',
  'Failover',
  'Billed',
  'Booked',
];

function section({ title, about, cases }: FaultGroup): string {
  return `\n## ${title}\n\n${about}\n\n${table([head, ...cases.flatMap(rows)])}\n`;
}

/** A Markdown table whose columns line up, as the formatter wants it. */
function table(cells: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const lines = cells.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)));
  const rule = widths.map((width) => '-'.repeat(width));
  return [lines[0] ?? [], rule, ...lines.slice(1)].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

/** One line, or more where modes or adapters differ. */
function rows(row: FaultCase): string[][] {
  const lines = new Map<string, { readonly seen: Seen; readonly where: string[] }>();
  for (const adapter of adapterNames) {
    for (const mode of modesOf(row)) {
      const seen = expectedOf(row.seen, adapter, mode);
      const key = cellsOf(seen).join();
      const line = lines.get(key) ?? { seen, where: [] };
      line.where.push(`${adapter} ${mode}`);
      lines.set(key, line);
    }
  }
  const all = adapterNames.length * modesOf(row).length;
  return [...lines.values()].map(({ seen, where }, index) => {
    const first = index === 0 ? `${row.what}<br>${orderCode(row.order)}` : '';
    return [first, callsOf(where, all, row), ...cellsOf(seen)];
  });
}

function callsOf(where: readonly string[], all: number, { only }: FaultCase): string {
  if (where.length === all) return only ?? 'both';
  const modes = new Set(where.map((cell) => cell.split(' ')[1]));
  const adapters = new Set(where.map((cell) => cell.split(' ')[0]));
  const mode = modes.size === 1 ? [...modes][0] : 'both';
  return adapters.size === adapterNames.length ? `${mode}` : `${mode}, ${[...adapters].join()}`;
}

function cellsOf(seen: Seen): string[] {
  const { caller, breaker, retried, failover, billed } = seen;
  return [caller, breaker, retried ? 'yes' : 'no', failover, billed, bookedText(seen)];
}

function bookedText({ tracker, guard }: Seen): string {
  const own = trackerText(tracker);
  return guard === 'same' ? own : `tracker: ${own}; guard: the hold`;
}

function trackerText(tracker: Seen['tracker']): string {
  if (tracker === 'nothing') return 'nothing';
  const [extent, source, comparison] = tracker.split(', ');
  const estimated = source === 'estimated' ? ' (estimated)' : '';
  if (comparison === 'as billed') return `as billed${estimated}`;
  return `${extent}${estimated}, ${comparison} than billed`;
}

/** The order as one would write it in a test. */
function orderCode(order: Order): string {
  if (order === 'refuse-connections') return '`sim.refuseConnections()`';
  const named = namedFaults(order);
  if (named === undefined) return `\`${literal(order)}\``;
  return named.map((fault) => `\`${makerCode(fault)}\``).join(' with ');
}

function makerCode([name, ...args]: NamedFault): string {
  return `faults.${name}(${args.map(literal).join(', ')})`;
}

function literal(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value !== 'object' || value === null) return String(value);
  const members = Object.entries(value).map(([name, member]) => `${name}: ${short(member)}`);
  return `{ ${members.join(', ')} }`;
}

/** Bodies and messages would blow up the table. */
function short(value: unknown): string {
  const text = Array.isArray(value) ? '[]' : literal(value);
  return text.length > 40 ? '…' : text;
}
