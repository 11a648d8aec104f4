import { conflict } from './redis-errors.ts';

/** The largest amount, and as a limit as good as none. */
export const maxAmount: bigint = 2n ** 62n;
/** The most marks of one line. */
const maxMarks = 16;

/** @throws LedgerError for what makes no sense. */
export function checkAmount(amount: bigint): void {
  if (amount < 0n || amount > maxAmount) throw conflict(`an amount must be 0 to 2^62, got ${amount}`);
}

/** @throws LedgerError for what makes no sense. */
export function checkLimit(limit: bigint): void {
  if (limit > maxAmount) throw conflict(`a limit must be at most 2^62, got ${limit}`);
}

/** @throws LedgerError for what makes no sense. */
export function checkMarks(marks: readonly bigint[]): void {
  if (marks.length > maxMarks) throw conflict(`a line has at most ${maxMarks} marks, got ${marks.length}`);
  for (const [index, mark] of marks.entries()) {
    if (index > 0 && mark <= (marks[index - 1] ?? 0n)) throw conflict('marks must be ascending');
    checkAmount(mark);
  }
}

/** @throws LedgerError for what makes no sense. */
export function checkLease(leaseMs: number): void {
  if (!(leaseMs > 0) || leaseMs > 1e13) throw conflict(`leaseMs must be > 0, got ${leaseMs}`);
}

/** As the scripts read it.
 *
 * @throws LedgerError for what makes no sense. */
export function amountText(amount: bigint): string {
  checkAmount(amount);
  return amount.toString();
}

/** As the scripts read it.
 *
 * @throws LedgerError for what makes no sense. */
export function limitText(limit: bigint): string {
  checkLimit(limit);
  if (limit === maxAmount) return '-'; // as good as none
  return limit < 0n ? '-1' : limit.toString();
}

/** As the scripts read it.
 *
 * @throws LedgerError for what makes no sense. */
export function marksText(marks: readonly bigint[]): string {
  checkMarks(marks);
  return marks.join(' ');
}

/** As the scripts read it.
 *
 * @throws LedgerError for what makes no sense. */
export function leaseText(leaseMs: number): string {
  checkLease(leaseMs);
  return String(Math.ceil(leaseMs));
}
