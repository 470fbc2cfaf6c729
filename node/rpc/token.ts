import Type, { type Static } from 'typebox';
import { isTokenId, tokens } from '../../ledger/modules/tokens/token.ts';
import { err, ok } from '../../ledger/types/errors.ts';
import { entriesPage, page, pageParams } from './cursor.ts';
import { fault } from './errors.ts';
import { type Method, method } from './method.ts';
import type { StateReader } from './ports.ts';
import { addressText, amountText, countNumber } from './schemas.ts';

const tokenObject = Type.Object({
  token: Type.String(),
  name: Type.String(),
  decimals: countNumber,
  supply: amountText,
  admins: Type.Array(addressText),
});

function tokenOf(state: ReturnType<StateReader['at']>, id: string): Static<typeof tokenObject> | null {
  const token = isTokenId(id) ? tokens.get(state, id) : null;
  return token && { token: id, ...token, supply: token.supply.toString(), admins: [...token.admins] };
}

export function tokenMethods(state: StateReader): Method[] {
  return [
    method({
      name: 'token_get',
      summary: 'A token by its symbol: amounts on the wire are base units, people see `decimals` places.',
      params: { token: Type.String({ maxLength: 16, description: 'a symbol of at most 16 characters' }) },
      result: tokenObject,
      errors: ['NOT_FOUND'],
      handler({ token }) {
        const found = tokenOf(state.at(state.range().newest), token);
        return found
          ? ok(found)
          : err(fault('NOT_FOUND', `no token ${JSON.stringify(token)}; symbols are case-sensitive`));
      },
    }),
    method({
      name: 'token_list',
      summary: 'Every token, in the order of symbols.',
      params: pageParams,
      result: page(tokenObject),
      handler(request) {
        const view = state.at(state.range().newest);
        return entriesPage(state, 'tokens/token/', request, id => tokenOf(view, id));
      },
    }),
  ];
}
