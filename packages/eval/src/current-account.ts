import type { Account } from './account.ts';
import { runContext } from './run-context.ts';

/** The account of this async context; what happens after a meter was closed counts in the one around it. */
export function here(): Account | undefined {
  return openAccount(runContext()?.account);
}

/** `account`, or where it is closed the next one around it that is open. */
export function openAccount(account: Account | undefined): Account | undefined {
  let open = account;
  while (open?.open === false) open = open.parent;
  return open;
}
