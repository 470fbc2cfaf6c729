/** A final receipt that says no, as a fault with what can be done about it. */
import type { FinalReceipt } from '../client/api.ts';
import { REFUSALS } from '../ledger/modules/supply/refusals.ts';
import { FaultError } from '../ledger/types/errors.ts';

const HINTS: Readonly<Record<string, string>> = {
  ...REFUSALS,
  INSUFFICIENT_BALANCE: 'send no more than the balance that is named, in base units',
  ACCOUNT_FROZEN: 'an admin of the token can unfreeze the account',
  UNKNOWN_TOKEN: 'check the symbol; upper and lower case differ',
  UNKNOWN_MEMBER: 'see quorate members list',
  UNKNOWN_ACCOUNT: 'see quorate members accounts',
  NOT_AUTHORISED: 'the account lacks the role for this; an administrator or a manager of its member can give it',
  UNKNOWN_PROPOSAL: 'it was decided, or its seven days are over: see quorate validators proposals',
  ALREADY_VOTED: 'the member has voted: others have to, now',
  NO_VOTING_POWER: 'members without a validator have no vote',
  MOVES_TOO_MUCH_POWER: 'change the set in smaller steps: at most a third of the power at a time',
  LAST_ADMINISTRATOR: 'give someone else the role administer first',
  PREFIX_OVERLAP: 'no prefix may begin with another registered one',
};

export const refusalHint = (code: string): string =>
  HINTS[code] ?? 'nothing was changed; docs/protocol.md says what the code means';

/** Why a recorded transaction had no effect. `kinds` are its operations. */
export function refusalOf(receipt: FinalReceipt, kinds: readonly string[]): FaultError {
  const { code, concerns, operation, transaction, height } = receipt;
  const kind = kinds[operation] ?? 'operation';
  return new FaultError({
    code,
    message: `the ledger refused ${kind}${concerns === '' ? '' : ` (${concerns})`} in transaction ${transaction} at height ${height}`,
    hint: refusalHint(code),
    data: { receipt },
  });
}
