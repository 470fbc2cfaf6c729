/**
 * What a peer may answer to one who asks for blocks. Each lie tells the truth as far as it pays, which the honest would have
 * told as well.
 */
import { sign } from '#crypto';
import { randomBytes } from '../../client/entropy.ts';
import { pause } from '../../client/rpc.ts';
import { blockId } from '../../ledger/crypto/ids.ts';
import type { Bytes } from '../../ledger/types/bytes.ts';
import { type Certificate, votePayload } from '../../ledger/types/certificate.ts';
import { decode, encode } from '../../ledger/types/codec.ts';
import { type CertifiedBlock, certifiedBlock, syncQuestion } from '../../node/network/certified-block.ts';
import type { Scene } from './scene.ts';
import { transferOf } from './trickle.ts';

/** What a lie is made of. */
export interface Truth {
  readonly scene: Scene;
  /** The blocks that are final, by height. */
  readonly chain: readonly CertifiedBlock[];
}

export type Answer = (truth: Truth, question: Bytes, signal: AbortSignal) => AsyncIterable<Bytes>;

/** The true answer to a question for a range, block by block. */
async function* truly({ chain }: Truth, question: Bytes): AsyncGenerator<CertifiedBlock> {
  const asked = decode(syncQuestion, question);
  if (!asked.ok || asked.value.type !== 'range') return;
  const { from, count } = asked.value;
  for (let height = from; height < from + count; height++) {
    const block = chain[height];
    if (block) yield block;
  }
}

/** Answers truly as far as `after` blocks, then with `change` of the next. */
const changing = (after: number, change: (block: CertifiedBlock, truth: Truth) => CertifiedBlock): Answer =>
  async function* (truth, question) {
    let sent = 0;
    for await (const block of truly(truth, question))
      yield encode(certifiedBlock, sent++ < after ? block : change(block, truth));
  };

const withCertificate =
  (change: (certificate: Certificate, truth: Truth) => Partial<Certificate>) =>
  ({ block, certificate }: CertifiedBlock, truth: Truth): CertifiedBlock => ({
    block,
    certificate: { ...certificate!, ...change(certificate!, truth) },
  });

/** Another block at that height, "certified" by the liar and by keys of its own making. */
function forged({ block, certificate }: CertifiedBlock): CertifiedBlock {
  const header = { ...block.header, time: block.header.time + 1 };
  const id = blockId(header);
  const payload = votePayload('quorate/pbft/commit/1', header.chainId, header.height, 0, id);
  const signatures = certificate!.signatures.map(({ index }) => ({
    index,
    signature: sign({ type: 'ed25519', secret: randomBytes(32) }, payload),
  }));
  return { block: { ...block, header }, certificate: { ...certificate!, block: id, view: 0, signatures } };
}

/** The liar's one signature under every index of the certificate. */
function repeated({ block, certificate }: CertifiedBlock, { scene }: Truth): CertifiedBlock {
  const { height, block: id, view } = certificate!;
  const payload = votePayload('quorate/pbft/commit/1', scene.genesis.chainId, height, view, id);
  const signature = sign(scene.liar.validatorKey, payload);
  return { block, certificate: { ...certificate!, signatures: [0, 1, 2].map(index => ({ index, signature })) } };
}

const forever = (signal: AbortSignal): Promise<void> => pause(600_000, signal).catch(() => {});

export const LIES: Readonly<Record<string, Answer>> = {
  'claims a height and has nothing': async function* () {},
  'sends noise': async function* () {
    yield randomBytes(5_000);
  },
  'sends a block of another height': async function* (truth, question) {
    for await (const { block } of truly(truth, question)) {
      const next = truth.chain[block.header.height + 1];
      if (next) yield encode(certifiedBlock, next);
    }
  },
  'sends blocks without a certificate': changing(2, ({ block }) => ({ block, certificate: null })),
  'sends certificates of too few': changing(
    2,
    withCertificate(({ signatures }) => ({ signatures: signatures.slice(1) })),
  ),
  'sends certificates of another block': changing(
    2,
    withCertificate((_, { chain }) => ({ block: chain[1]!.certificate!.block })),
  ),
  'sends its own signature for everyone': changing(2, repeated),
  'sends blocks of its own': changing(2, forged),
  'sends the same block again and again': changing(2, (_, { chain }) => chain[5]!),
  'sends a body that is not the header’s': changing(2, ({ block, certificate }, { scene }) => ({
    block: { header: block.header, transactions: [transferOf(scene, scene.senders[5]!)] },
    certificate,
  })),
  'hands out true blocks one by one': async function* (truth, question) {
    for await (const block of truly(truth, question)) {
      await pause(700);
      return yield encode(certifiedBlock, block);
    }
  },
  'falls silent in the middle': async function* (truth, question, signal) {
    let sent = 0;
    for await (const block of truly(truth, question)) {
      if (sent++ === 3) await forever(signal);
      yield encode(certifiedBlock, block);
    }
  },
};
