/**
 * A proposed block that names its transactions instead of carrying them (the idea of BIP-152, with whole hashes): whoever it
 * is shown to has heard of most of them already, and knows by its root that it has found the very ones.
 */
import { BLOCK_TRANSACTIONS_MAX, type IdentifiedBlock } from './block.ts';
import type { Bytes } from './bytes.ts';
import { type Codec, fixed, list, struct } from './codec.ts';
import { type Header, header } from './header.ts';
import { LEAF_BYTES, leafOf } from './transaction.ts';

export interface CompactBlock {
  readonly header: Header;
  /** Of each transaction its leaf under the transactions root: id ‖ hash of the encoded signatures. */
  readonly leaves: readonly Bytes[];
}

const fields: Codec<CompactBlock> = struct({
  header,
  leaves: list(fixed(LEAF_BYTES), BLOCK_TRANSACTIONS_MAX),
});

export const compactBlock: Codec<CompactBlock> = {
  ...fields,
  read(reader) {
    // The leaves are most of it, and go together.
    reader.own();
    return fields.read(reader);
  },
};

export const compactOf = ({ header, transactions }: Omit<IdentifiedBlock, 'id'>): CompactBlock => ({
  header,
  leaves: transactions.map(leafOf),
});
