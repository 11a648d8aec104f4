/** Whether the operations of a group are awaited: then all of them are, so that each pays for the same `await`. */
export type LoopMode = 'sync' | 'async';

/** Runs an operation `count` times, counting up from `start`. */
export type Loop = (start: number, count: number) => unknown;

let serial = 0;

/**
 * A loop of its own for each operation. One loop for all would call through a site that has seen every contender,
 * which V8 does not inline, and that cost, the same for all, would flatten every ratio. The name differs each time
 * because V8 shares what it has learnt among functions of equal source.
 */
export function compileLoop(op: (index: number) => unknown, mode: LoopMode): Loop {
  const [prefix, wait] = mode === 'async' ? ['async ', 'await '] : ['', ''];
  const body = `let last; for (let i = start, end = start + count; i < end; i++) last = ${wait}op(i); return last;`;
  const source = `return ${prefix}function loop${serial++}(start, count) { ${body} }`;
  return new Function('op', source)(op) as Loop;
}
