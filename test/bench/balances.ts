/** A state of balances, as transfers leave them, and blocks that change some. */
import { below, rng } from '../../consensus/rng.ts';
import { holdings } from '../../ledger/modules/tokens/token.ts';
import type { Address } from '../../ledger/types/address.ts';
import type { Bytes } from '../../ledger/types/bytes.ts';

const random = rng(1n);
/** As the tokens module wrote it last. */
let entry: readonly [key: string, value: Bytes];
const written = {
  get: () => null,
  set(key: string, value: Bytes | null) {
    entry = [key, value!];
  },
};

/** What a transfer leaves in the state: the balance of one of many addresses, each as long as real ones are. */
function entryOf(account: number): readonly [key: string, value: Bytes] {
  const address = `qr1${account.toString(32).padStart(61, 'z')}` as Address;
  holdings.set(written, { amount: BigInt(below(random, 2 ** 32)) << 8n, frozen: false }, 'QRT', address);
  return entry;
}

export function* balances(keys: number): Generator<readonly [key: string, value: Bytes]> {
  for (let i = 0; i < keys; i++) yield entryOf(i);
}

/** What one block writes, all over a state of so many keys. */
export function changedBalances(keys: number, updates: number): ReadonlyMap<string, Bytes> {
  const writes = new Map<string, Bytes>();
  while (writes.size < updates) writes.set(...entryOf(below(random, keys)));
  return writes;
}
