import Type, { type Static } from 'typebox';
import { publicKeyText } from '../../ledger/crypto/keys.ts';
import { accounts, senderOf } from '../../ledger/modules/members/account.ts';
import { ROLES } from '../../ledger/modules/operation.ts';
import { balanceOf, holdingOf, tokens } from '../../ledger/modules/tokens/token.ts';
import { type Address, isAddress } from '../../ledger/types/address.ts';
import { err, type Fault, ok, type Result } from '../../ledger/types/errors.ts';
import { entriesPage, memoryPage, type Page, pageParams } from './cursor.ts';
import { fault } from './errors.ts';
import { type Method, method } from './method.ts';
import type { StateReader } from './ports.ts';
import { addressText, amountText, countNumber, keyText, nullable, oneOf } from './schemas.ts';

export const rolesList = Type.Array(oneOf(...ROLES));

const balanceObject = Type.Object({
  token: Type.String(),
  amount: amountText,
  decimals: countNumber,
  frozen: Type.Boolean(),
});

/** What the members module knows of an account. */
export const holderObject = Type.Object({
  member: nullable(Type.String()),
  /** What it may do now: its own roles that its member has too, none while it is suspended. */
  roles: rolesList,
  suspended: Type.Boolean(),
  threshold: countNumber,
  keys: Type.Array(keyText),
});

export const badAddress = (parameter: string): Fault =>
  fault('INVALID_PARAMS', `parameter ${parameter} is no address: its checksum does not match`, { data: { parameter } });

/** An address without an account may hold tokens: nobody answers for it and no key opens it yet. */
export function holderOf(state: ReturnType<StateReader['at']>, of: Address): Static<typeof holderObject> {
  const account = accounts.get(state, of);
  if (account === null) return { member: null, roles: [], suspended: false, threshold: 0, keys: [] };
  const { member, suspended, threshold, keys } = account;
  return {
    member,
    roles: [...senderOf(state, of, account).roles],
    suspended,
    threshold,
    keys: keys.map(publicKeyText),
  };
}

function presentBalance(view: ReturnType<StateReader['at']>, token: string, of: Address): Static<typeof balanceObject> {
  const { amount, frozen } = holdingOf(view, token, of);
  return { token, amount: amount.toString(), decimals: tokens.get(view, token)?.decimals ?? 0, frozen };
}

export function accountMethods(state: StateReader): Method[] {
  return [
    method({
      name: 'account_get',
      summary: 'Who holds an address, what it may do, and a page of the balances it has in the order of tokens.',
      params: { address: addressText, ...pageParams },
      result: Type.Object({
        address: addressText,
        ...holderObject.properties,
        balances: Type.Array(balanceObject),
        next: nullable(Type.String()),
      }),
      handler({ address, ...request }) {
        if (!isAddress(address)) return err(badAddress('address'));
        const view = state.at(state.range().newest);
        const answer = (held: Result<Page<string>, Fault>) =>
          held.ok
            ? ok({
                ...{ address, ...holderOf(view, address) },
                balances: held.value.items.map(token => presentBalance(view, token, address)),
                next: held.value.next,
              })
            : held;
        const few = state.tokens();
        return few === null
          ? entriesPage(state, `tokens/held/${address}/`, request, token => token).then(answer)
          : answer(
              memoryPage(
                few.filter(token => balanceOf(view, token, address) > 0n),
                request,
              ),
            );
      },
    }),
  ];
}
