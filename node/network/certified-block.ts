/** What block sync asks and answers (docs/protocol.md, "Block sync"). */
import { type Block, block } from '../../ledger/types/block.ts';
import { type Bytes, concatBytes } from '../../ledger/types/bytes.ts';
import { type Certificate, certificate } from '../../ledger/types/certificate.ts';
import { type Codec, encode, mapped, option, struct, uint, union } from '../../ledger/types/codec.ts';
import { hash, height } from '../../ledger/types/ids.ts';
import { kept } from '../kept-codec.ts';
import { SYNC_RANGE_BLOCKS_MAX } from '../limits.ts';

/** A block with the reason why it is final; null for one that is not, or of an engine that certifies nothing. */
export interface CertifiedBlock {
  readonly block: Block;
  readonly certificate: Certificate | null;
}

const optionalCertificate = option(certificate);

export const certifiedBlock: Codec<CertifiedBlock> = kept(struct({ block, certificate: optionalCertificate }));

/** The encoding of a {@link CertifiedBlock} whose block is encoded already. */
export const certifiedBlockBytes = (encodedBlock: Bytes, reason: Certificate | null): Bytes =>
  concatBytes(encodedBlock, encode(optionalCertificate, reason));

const count = mapped(
  uint(SYNC_RANGE_BLOCKS_MAX),
  (value, reader) => (value > 0 ? value : reader.fail('a range of no blocks')),
  value => value,
);

/** `range`: final blocks from a height on, at most so many. `block`: one block by its id, final or not. */
export const syncQuestion = union({
  range: [1, struct({ from: height, count })],
  block: [2, struct({ id: hash })],
});
