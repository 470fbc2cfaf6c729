import { describe, expect, it } from 'vitest';
import { checkForm } from '../../../ledger/admission.ts';
import { burn } from '../../../ledger/modules/tokens/burn.ts';
import { transfer } from '../../../ledger/modules/tokens/transfer.ts';
import { bob, clerk, network, op, transaction } from './network.ts';

const { rules } = network();
const pay = (amount: bigint) => op(transfer, { token: 'QRT', to: bob.address, amount });

describe('the form of a transaction', () => {
  it('is found once for each operation', () => {
    const each = transaction(clerk, [pay(1n), pay(2n)]);
    const [first, second] = [checkForm(rules, each), checkForm(rules, each)];
    expect(first).toMatchObject({ ok: true, value: [{ payload: { amount: 1n } }, { payload: { amount: 2n } }] });
    expect(second.ok && second.value[0]).toBe(first.ok && first.value[0]);
  });

  it('of a changed copy is its own', () => {
    const paid = pay(1n);
    const each = transaction(clerk, [paid]);
    checkForm(rules, each);
    const payload = { ...paid, payload: pay(7n).payload };
    expect(checkForm(rules, transaction(clerk, [payload]))).toMatchObject({ value: [{ payload: { amount: 7n } }] });
    const kind = { ...paid, kind: burn.kind };
    expect(checkForm(rules, transaction(clerk, [kind]))).toMatchObject({ error: { code: 'MALFORMED_PAYLOAD' } });
  });
});
