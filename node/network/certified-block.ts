/** What block sync asks and answers (docs/protocol.md, "Block sync"). */
import { STATE_KEY_BYTES_MAX } from '../../ledger/proof/bundle.ts';
import { CHUNKS_MAX, type ChunkEntries } from '../../ledger/state/outline.ts';
import { type Block, block } from '../../ledger/types/block.ts';
import { type Bytes, concatBytes } from '../../ledger/types/bytes.ts';
import { type Certificate, certificate } from '../../ledger/types/certificate.ts';
import {
  bytes,
  type Codec,
  encode,
  list,
  mapped,
  option,
  struct,
  type TypeOf,
  text,
  uint,
  union,
} from '../../ledger/types/codec.ts';
import { type Header, header } from '../../ledger/types/header.ts';
import { hash, height } from '../../ledger/types/ids.ts';
import { kept } from '../kept-codec.ts';
import {
  NETWORK_MESSAGE_BYTES_MAX,
  SNAPSHOT_CHUNK_ENTRIES_MAX,
  SNAPSHOT_HEADERS_PER_FRAME,
  SYNC_RANGE_BLOCKS_MAX,
} from '../limits.ts';

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

/**
 * `range`: final blocks from a height on, at most so many. `block`: one block by its id, final or not. `manifest`: of the snapshot
 * that the peer offers. `chunk`: one of that snapshot, by its place. `headers`: of the final blocks below a height, downwards.
 * `bodies`: as `range`, without what makes them final.
 */
export const syncQuestion = union({
  range: [1, struct({ from: height, count })],
  block: [2, struct({ id: hash })],
  manifest: [3, struct({})],
  chunk: [4, struct({ height, place: uint(CHUNKS_MAX - 1) })],
  headers: [5, struct({ below: height })],
  bodies: [6, struct({ from: height, count })],
});

export type SyncQuestion = TypeOf<typeof syncQuestion>;

const key = text(STATE_KEY_BYTES_MAX);
const value = bytes(NETWORK_MESSAGE_BYTES_MAX);

/** A message of a chunk: entries, one after the other to the end. */
export const chunkEntries: Codec<ChunkEntries> = {
  write(writer, entries) {
    for (const entry of entries) {
      key.write(writer, entry[0]);
      value.write(writer, entry[1]);
    }
  },
  read(reader) {
    const entries: (readonly [string, Bytes])[] = [];
    while (reader.left > 0) {
      if (entries.length === SNAPSHOT_CHUNK_ENTRIES_MAX) reader.fail(`more than ${SNAPSHOT_CHUNK_ENTRIES_MAX} entries`);
      entries.push([key.read(reader), value.read(reader)]);
    }
    return entries;
  },
};

/** A message of headers, each of the block below the one before. */
export const headersBelow: Codec<readonly Header[]> = list(header, SNAPSHOT_HEADERS_PER_FRAME);
