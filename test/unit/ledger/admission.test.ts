import { describe, expect, it } from 'vitest';
import { checkForm } from '../../../ledger/admission.ts';
import { burn } from '../../../ledger/modules/tokens/burn.ts';
import { transfer } from '../../../ledger/modules/tokens/transfer.ts';
import { bob, clerk, network, op, transaction } from './network.ts';

const { rules } = network();
const pay = (amount: bigint) => op(transfer, { token: 'QRT', to: bob.address, amount });

describe('the form of a transaction', () => {
  it('is found once, refused or not', () => {
    for (const each of [
      transaction(clerk, [pay(1n), pay(2n)]),
      transaction(clerk, [{ ...pay(1n), kind: 'tokens.steal' }]),
    ])
      expect(checkForm(rules, each)).toBe(checkForm(rules, each));
  });

  it('does not keep what another network says', () => {
    const each = transaction(clerk, [pay(1n), pay(2n)]);
    const narrow = { ...rules, limits: { ...rules.limits, operationsMax: 1 } };
    expect(checkForm(rules, each)).toMatchObject({
      ok: true,
      value: [{ payload: { amount: 1n } }, { payload: { amount: 2n } }],
    });
    expect(checkForm(narrow, each)).toMatchObject({ error: { code: 'TOO_MANY_OPERATIONS' } });
  });

  it('of a changed copy is its own', () => {
    const each = transaction(clerk, [pay(1n)]);
    checkForm(rules, each);
    const changed = { ...each, body: { ...each.body, operations: [pay(7n)] } };
    expect(checkForm(rules, changed)).toMatchObject({ value: [{ payload: { amount: 7n } }] });
    const stolen = { ...each, body: { ...each.body, operations: [{ ...pay(1n), kind: burn.kind }] } };
    expect(checkForm(rules, stolen)).toMatchObject({ error: { code: 'MALFORMED_PAYLOAD' } });
  });
});
