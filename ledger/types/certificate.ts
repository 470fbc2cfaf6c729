import type { Bytes } from './bytes.ts';
import { concatBytes } from './bytes.ts';
import { ascending, type Codec, encode, fixed, struct, uint } from './codec.ts';
import { type BlockId, type ChainId, type Height, hash, height } from './ids.ts';
import { type Tag, tagged } from './tags.ts';
import { SIGNATURE_BYTES } from './transaction.ts';
import { byzantineQuorum, crashQuorum, VALIDATORS_MAX } from './validator.ts';

/** What makes a block final, for one family of engines: whose signatures count, over what, and how many of them. */
export interface CertificateRule {
  /** Written number of the phase whose quorum decides. */
  readonly phase: number;
  /** Tag of the votes ({@link votePayload}) that a certificate is made of. */
  readonly tag: Tag;
  /** `byzantine`: holds while less than a third of the power lies. `crash`: while nobody does. */
  readonly trust: 'byzantine' | 'crash';
  /** The power that decides, of a set's total. */
  quorum(total: number): number;
}

/** Commits of more than two thirds. */
export const BYZANTINE_COMMIT: CertificateRule = {
  phase: 1,
  tag: 'quorate/pbft/commit/1',
  trust: 'byzantine',
  quorum: byzantineQuorum,
};

/** Acknowledgements of more than half, each durable at its signer, in one term or ballot. */
export const CRASH_ACK: CertificateRule = { phase: 2, tag: 'quorate/crash/ack/1', trust: 'crash', quorum: crashQuorum };

export interface IndexedSignature {
  /** Position of the signer in the validator set that decides this height. */
  readonly index: number;
  readonly signature: Bytes;
}

/** A quorum's signatures over one block: why it is final. Stored beside the block, outside its hash. */
export interface Certificate {
  readonly height: Height;
  readonly block: BlockId;
  /** The engine's view, term or ballot in which it was decided. */
  readonly view: number;
  readonly phase: number;
  /** In ascending order of index. */
  readonly signatures: readonly IndexedSignature[];
}

export const indexedSignatures: Codec<readonly IndexedSignature[]> = ascending(
  struct({ index: uint(VALIDATORS_MAX - 1), signature: fixed(SIGNATURE_BYTES) }),
  VALIDATORS_MAX,
  (a, b) => a.index - b.index,
);

export const certificate: Codec<Certificate> = struct({
  height,
  block: hash,
  view: uint(),
  phase: uint(255),
  signatures: indexedSignatures,
});

const vote = struct({ height, view: uint(), block: hash });

/** The payload that was asked for last under each tag: a set of validators signs the same one, vote by vote. */
const latest = new Map<Tag, { chainId: ChainId; height: Height; view: number; block: BlockId; payload: Bytes }>();
const TAGS_MAX = 16;

/** The bytes that a vote for `block` signs: tag, chain id, height, view, block id. Shared among callers: not to be written to. */
export function votePayload(tag: Tag, chainId: ChainId, height: Height, view: number, block: BlockId): Bytes {
  const last = latest.get(tag);
  if (last?.block === block && last.view === view && last.height === height && last.chainId === chainId)
    return last.payload;
  const payload = concatBytes(tagged(tag, chainId), encode(vote, { height, view, block }));
  if (latest.size >= TAGS_MAX) latest.clear();
  latest.set(tag, { chainId, height, view, block, payload });
  return payload;
}
