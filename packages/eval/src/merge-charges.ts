import type { Charge } from './charge.ts';

/** What a request at the HTTP boundary cost; `attemptId` is that of the attempt it was sent by, or its own. */
export interface BoundaryCharge extends Charge {
  readonly callId: string;
  /** True when no adapter of SynapseKit sent it: nobody else knows it by this id. */
  readonly foreign: boolean;
}

/**
 * One list of charges out of what trackers recorded and what the boundary saw: each call once. A tracker knows the
 * user's own prices, so its price counts; where no tracker has one, that of the boundary does.
 *
 * @param known ids of attempts: a record under any other id was made by hand.
 */
export function mergeCharges(
  recorded: ReadonlyMap<string, Charge>,
  seen: Iterable<BoundaryCharge>,
  known: { has(attemptId: string): boolean },
): readonly Charge[] {
  const byHand = [...recorded.values()].filter(({ attemptId }) => !known.has(attemptId));
  const paired = new Map<string, BoundaryCharge[]>();
  const alone: BoundaryCharge[] = [];
  for (const call of seen) {
    const twin = recorded.get(call.attemptId) ?? (call.foreign ? takeTwin(byHand, call) : undefined);
    if (twin === undefined) alone.push(call);
    else paired.set(twin.attemptId, [...(paired.get(twin.attemptId) ?? []), call]);
  }
  const merged: Charge[] = [];
  for (const charge of recorded.values()) {
    const calls = paired.get(charge.attemptId) ?? [];
    const known = calls.length > 0 && calls.every(({ pico }) => pico !== undefined);
    if (charge.pico === undefined && known) merged.push(...calls);
    // Under the id by which the attempt is known.
    else merged.push(calls[0]?.foreign === true ? { ...charge, attemptId: calls[0].attemptId } : charge);
  }
  return [...merged, ...alone];
}

/** A record that was made by hand of the answer to this call: it has the same tokens. */
function takeTwin(byHand: Charge[], { tokens }: BoundaryCharge): Charge | undefined {
  if (tokens === undefined) return undefined;
  const index = byHand.findIndex(
    (charge) => charge.tokens?.input === tokens.input && charge.tokens.output === tokens.output,
  );
  return index < 0 ? undefined : byHand.splice(index, 1)[0];
}
