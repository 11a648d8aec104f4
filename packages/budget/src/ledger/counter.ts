import type { LedgerKey, LedgerWindow, PostRequest } from '@synapsekit/core';
import type { Booking } from './booking.ts';
import type { Ring } from './ring.ts';

/** What is spent and promised of one key in one window. */
export interface Counter extends LedgerKey {
  /** The same for all windows of a key. */
  readonly keyId: number;
  readonly windowId: string;
  readonly window: LedgerWindow;
  /** Where its figures are. */
  cell: number;
  /** Where its window is a rolling one. */
  readonly ring: Ring | undefined;
  /** The same key in a window that came earlier. */
  older: Counter | undefined;
  /** Which post was told of which mark. */
  told: Map<bigint, Teller> | undefined;
  /** The last booking that ended on it: most attempts book on the same keys, and share one. */
  lastBooking: Booking | undefined;
}

/** The post that was told of a mark. */
export type Teller = Pick<PostRequest, 'attemptId' | 'kind'>;
