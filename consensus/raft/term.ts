/** Terms: Raft's logical clock (Ongaro and Ousterhout 2014, section 5.1). A block's seal is the term of the leader that built it. */
import type { Bytes } from '../../ledger/types/bytes.ts';
import { type Codec, decode, encode, uint } from '../../ledger/types/codec.ts';
import type { Header } from '../../ledger/types/header.ts';

/** An election every millisecond does not get there in eight thousand years. */
export const TERM_MAX = 2 ** 48 - 1;

export const term: Codec<number> = uint(TERM_MAX);

export const sealOf = (of: number): Bytes => encode(term, of);

/** The term in which a block was built; 0 for genesis; null where the seal is none of Raft's. */
export function termOf({ height, seal }: Header): number | null {
  if (height === 0) return 0;
  const decoded = decode(term, seal);
  return decoded.ok ? decoded.value : null;
}
