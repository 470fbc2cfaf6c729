import Type from 'typebox';
import { publicKeyText } from '../../ledger/crypto/keys.ts';
import { proposals } from '../../ledger/modules/validators/proposal.ts';
import { type RegisteredValidator, register } from '../../ledger/modules/validators/register.ts';
import { err, ok } from '../../ledger/types/errors.ts';
import type { TransactionId } from '../../ledger/types/ids.ts';
import { badCursor, cursorOf, entriesPage, PAGE_ITEMS_DEFAULT, page, pageParams, positionOf } from './cursor.ts';
import { type Method, method } from './method.ts';
import type { StateReader } from './ports.ts';
import { presentValue, timeOf } from './presentation.ts';
import { countNumber, hashText, heightNumber, keyText, timeText } from './schemas.ts';
import { heldHeight } from './state.ts';

const validatorObject = Type.Object({
  key: keyText,
  power: countNumber,
  member: Type.String(),
  name: Type.String(),
});

const present = ({ key, power, member, name }: RegisteredValidator) => ({
  key: publicKeyText(key),
  power,
  member,
  name,
});

/** The validators that the state after a block names: those that decide the next height. */
export function validatorsAt(state: ReturnType<StateReader['at']>): readonly RegisteredValidator[] {
  return register.get(state)?.validators ?? [];
}

export function validatorMethods(state: StateReader): Method[] {
  return [list(state), listProposals(state)];
}

function list(state: StateReader): Method {
  return method({
    name: 'validator_list',
    summary:
      'The validators that the block at a recent height names: who decides the height above it. In order of keys.',
    params: { height: Type.Optional(heightNumber), ...pageParams },
    result: Type.Object({ ...page(validatorObject).properties, height: heightNumber, totalPower: countNumber }),
    errors: ['PRUNED', 'NOT_FOUND'],
    handler({ height, limit = PAGE_ITEMS_DEFAULT, cursor }) {
      const at = heldHeight(state, height);
      if (!at.ok) return at;
      const after = cursor === undefined ? '' : positionOf(cursor);
      if (after === null) return err(badCursor());
      const all = validatorsAt(state.at(at.value));
      const rest = all.filter(each => each.key > after);
      const items = rest.slice(0, limit);
      return ok({
        items: items.map(present),
        next: rest.length > items.length ? cursorOf(items.at(-1)!.key) : null,
        height: at.value,
        totalPower: all.reduce((sum, each) => sum + each.power, 0),
      });
    },
  });
}

function listProposals(state: StateReader): Method {
  return method({
    name: 'validator_listProposals',
    summary: 'Proposed changes of the validator set with the members that voted for them; a vote names the id.',
    params: pageParams,
    result: page(
      Type.Object({
        id: hashText,
        change: Type.Unknown(),
        proposer: Type.String(),
        expires: timeText,
        votes: Type.Array(Type.String()),
      }),
    ),
    handler(request) {
      const view = state.at(state.range().newest);
      return entriesPage(state, 'validators/proposal/', request, id => {
        const proposal = proposals.get(view, id as TransactionId);
        if (proposal === null) return null;
        const { change, proposer, expires, votes } = proposal;
        return { id, change: presentValue(change), proposer, expires: timeOf(expires), votes: [...votes] };
      });
    },
  });
}
