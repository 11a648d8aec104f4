/** What a tracker may warn of. The codes are stable. */
export type CostWarningCode =
  /** A model has no price: its calls are counted, their cost is not. */
  | 'SYNAPSEKIT_UNKNOWN_PRICE'
  /** A model has been withdrawn, or will be within 30 days. */
  | 'SYNAPSEKIT_MODEL_RETIRED'
  /** A provider sent token counts that cannot be; they were repaired and booked as estimated. */
  | 'SYNAPSEKIT_INVALID_USAGE'
  /** The price lookup threw. Its model counts as unpriced. */
  | 'SYNAPSEKIT_PRICE_LOOKUP_FAILED'
  /** The `scope` option of `trackCost` threw, or gave no name. The record stands without that scope. */
  | 'SYNAPSEKIT_INVALID_SCOPE'
  /** A listener of `onRecord` threw. The record stands, the other listeners were told. */
  | 'SYNAPSEKIT_LISTENER_FAILED';

/** Something that must not stop a call, and must not be silent. */
export interface CostWarning {
  readonly code: CostWarningCode;
  readonly message: string;
  /** The model it is about: `"gpt-4o"`, `"groq/llama-3.1-8b-instant"`. */
  readonly model?: string | undefined;
  /** What was thrown, if anything was. Not part of the message: it may hold anything. */
  readonly cause?: unknown;
}

/** The most different warnings that are remembered as told; there are never more than that. */
const maxTold = 1_000;

/** Tells each warning once. */
export class Warnings {
  readonly #listener: (warning: CostWarning) => void;
  readonly #told = new Set<string>();

  constructor(listener: (warning: CostWarning) => void = emitProcessWarning) {
    this.#listener = listener;
  }

  /** True until `tell` has told it: saves making the message. */
  isNew(code: CostWarningCode, about: string): boolean {
    return this.#told.size < maxTold && !this.#told.has(`${code} ${about}`);
  }

  /** Tells a warning, once for each code and `about`. Never throws. */
  tell(warning: CostWarning, about: string = warning.model ?? ''): void {
    if (!this.isNew(warning.code, about)) return;
    this.#told.add(`${warning.code} ${about}`);
    try {
      this.#listener(Object.freeze(warning));
    } catch {
      // A warning must not do what it warns of less than: stop a call.
    }
  }
}

function emitProcessWarning({ code, message }: CostWarning): void {
  process.emitWarning(message, { type: 'SynapseKitWarning', code });
}

/** What may be said of a thrown value: its name. Its message could hold a prompt or a key. */
export function nameOfThrown(error: unknown): string {
  try {
    return error instanceof Error ? error.name : `a thrown ${typeof error}`;
  } catch {
    return 'an error';
  }
}
