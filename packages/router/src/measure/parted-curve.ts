import { GapCurve, type PairScores } from './gap-curve.ts';

interface Part {
  readonly rows: Int32Array;
  readonly curve: GapCurve;
  readonly counts: Uint32Array;
}

/**
 * The share of the gap that is recovered where rows stand in groups and each group is put in order on its own, so that kinds
 * of queries cannot be told apart. Groups count as much as the gap that is in them.
 */
export class PartedCurve {
  readonly rows: number;
  readonly #parts: readonly Part[];

  /**
   * @param of the group of each row; rows with a negative one are left out.
   * @param minRows groups with fewer rows are left out. @default 1
   */
  constructor({ scores, weak, strong }: PairScores, of: ArrayLike<number>, minRows = 1) {
    this.rows = of.length;
    const members = new Map<number, number[]>();
    for (let row = 0; row < of.length; row++) {
      const part = of[row] as number;
      if (part < 0) continue;
      const list = members.get(part);
      if (list === undefined) members.set(part, [row]);
      else list.push(row);
    }
    this.#parts = [...members.values()]
      .filter(({ length }) => length >= minRows)
      .map((list) => {
        const rows = Int32Array.from(list);
        const pick = (column: ArrayLike<number>): Float64Array =>
          Float64Array.from(rows, (row) => column[row] as number);
        const curve = new GapCurve({ scores: pick(scores), weak: pick(weak), strong: pick(strong) });
        return { rows, curve, counts: new Uint32Array(rows.length) };
      });
  }

  /** APGR over all groups, each row counting as often as `counts` says. `undefined` when the models do equally well. */
  metrics(counts?: ArrayLike<number>): { readonly apgr: number } | undefined {
    let recovered = 0;
    let total = 0;
    for (const { rows, curve, counts: own } of this.#parts) {
      if (counts !== undefined)
        for (let i = 0; i < rows.length; i++) own[i] = counts[rows[i] as number] as number;
      const gap = curve.gapAtCuts(counts === undefined ? undefined : own);
      const cuts = gap.length - 1;
      for (let cut = 0; cut < cuts; cut++) {
        recovered += ((gap[cut] as number) + (gap[cut + 1] as number)) / 2 / cuts;
      }
      total += gap[cuts] as number;
    }
    return total > 0 ? { apgr: recovered / total } : undefined;
  }
}
