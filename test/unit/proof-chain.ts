/** Small chains with real signatures, for tests of certificates and proofs. */

import {
  blockId,
  historyLeaf,
  identify,
  transactionId,
  transactionSigningBytes,
  validatorSetHash,
} from '../../ledger/crypto/ids.ts';
import { accountAddress } from '../../ledger/crypto/keys.ts';
import {
  appendLeaf,
  completeNodes,
  EMPTY_FRONTIER,
  EMPTY_ROOT,
  frontierRoot,
  inclusionOf,
  merkleRoot,
} from '../../ledger/crypto/merkle.ts';
import { publicKeyOf, sha256, sha256Hex, sign } from '../../ledger/crypto/native.ts';
import type { SecretKey } from '../../ledger/crypto/port.ts';
import { buildStateProof, buildTransactionProof, type FinalityEvidence } from '../../ledger/proof/build.ts';
import type { FinalHeader, SetChange } from '../../ledger/proof/bundle.ts';
import type { TrustedGenesis } from '../../ledger/proof/trusted-genesis.ts';
import { emptyTree, type Tree, treeRoot, update } from '../../ledger/state/tree.ts';
import { type Bytes, compareText, EMPTY, utf8 } from '../../ledger/types/bytes.ts';
import {
  BYZANTINE_COMMIT,
  type Certificate,
  type CertificateRule,
  votePayload,
} from '../../ledger/types/certificate.ts';
import { encode } from '../../ledger/types/codec.ts';
import type { Header } from '../../ledger/types/header.ts';
import type { ChainId, Hash, NodeId } from '../../ledger/types/ids.ts';
import { type Receipt, receipt } from '../../ledger/types/receipt.ts';
import { type IdentifiedTransaction, leafOf, type TransactionBody } from '../../ledger/types/transaction.ts';
import type { ValidatorSet } from '../../ledger/types/validator.ts';

const secretOf = (name: string): SecretKey => ({ type: 'ed25519', secret: sha256(utf8(`test key ${name}`)) });
const secrets = new Map<NodeId, SecretKey>();

/** A validator set of the named keys with the given powers. */
export function setOf(powers: Readonly<Record<string, number>>): ValidatorSet {
  const validators = Object.entries(powers).map(([name, power]) => {
    const secret = secretOf(name);
    const key = publicKeyOf(secret);
    secrets.set(key, secret);
    return { key, power };
  });
  return validators.sort((a, b) => compareText(a.key, b.key));
}

/** The certificate of every validator of the set over a block. */
export function certify(header: Header, validators: ValidatorSet, view = 0, rule = BYZANTINE_COMMIT): Certificate {
  const { height, chainId } = header;
  const block = blockId(header);
  const payload = votePayload(rule.tag, chainId, height, view, block);
  const signatures = validators.map(({ key }, index) => ({ index, signature: sign(secrets.get(key)!, payload) }));
  return { height, block, view, phase: rule.phase, signatures };
}

/** A transaction with a real signature, of a client of its own. */
export function transactionOf(chainId: ChainId, label: string): IdentifiedTransaction {
  const secret = secretOf(`client ${label}`);
  const key = publicKeyOf(secret);
  const body: TransactionBody = {
    chainId,
    sender: accountAddress(1, [key]),
    validUntil: 1_800_000_000_000,
    salt: sha256(utf8(label)).slice(0, 8),
    after: null,
    operations: [{ kind: 'tokens.transfer', payload: utf8(`payload ${label}`) }],
  };
  const signature = sign(secret, transactionSigningBytes(chainId, transactionId(body)));
  return identify({ body, signatures: [{ key, signature }] });
}

/** What became of the i-th transaction of a block: every other one failed. */
export const receiptOf = ({ id }: IdentifiedTransaction, i: number): Receipt => ({
  transaction: id,
  succeeded: i % 2 === 0,
  operation: 0,
  code: i % 2 === 0 ? '' : 'INSUFFICIENT_BALANCE',
  concerns: '',
  events: i % 2 === 0 ? [{ kind: 'tokens.transferred', attributes: [['amount', `${i}`]] }] : [],
});

interface ChainBlock extends FinalHeader {
  readonly transactions: readonly IdentifiedTransaction[];
  readonly receipts: readonly Receipt[];
  readonly tree: Tree;
}

export interface Chain {
  readonly genesis: TrustedGenesis;
  readonly evidence: (height: number) => FinalityEvidence;
  readonly transactionProof: (height: number, index: number) => Bytes;
  readonly stateProof: (height: number, key: string) => Bytes;
  readonly block: (height: number) => ChainBlock;
}

export interface ChainOptions {
  readonly chainId?: string;
  readonly genesisId?: Hash;
  readonly length: number;
  readonly validators: ValidatorSet;
  /** The set that decides from the height after this one on. */
  readonly changes?: ReadonlyMap<number, ValidatorSet>;
  readonly engine?: string;
  readonly rule?: CertificateRule;
}

/** Keys of the state of every block: `key 0` to `key 39`, and more with the height. */
export const stateKey = (i: number): string => `key ${i}`;

/** Blocks 1 to `length` on a block 0, with four to seven transactions each. */
export function makeChain({
  chainId: name = 'proofs',
  genesisId,
  length,
  validators,
  changes = new Map(),
  engine = 'pbft',
  rule = BYZANTINE_COMMIT,
}: ChainOptions): Chain {
  const chainId = name as ChainId;
  const genesis: TrustedGenesis = {
    genesisId: genesisId ?? sha256Hex(utf8(name)),
    chainId,
    engine,
    validators,
    work: null,
  };
  let tree = update(emptyTree, new Map(Array.from({ length: 40 }, (_, i) => [stateKey(i), utf8(`first ${i}`)])));
  const origin: Header = {
    version: 1,
    chainId,
    height: 0,
    parent: genesis.genesisId,
    time: 1_700_000_000_000,
    proposer: validators[0]!.key,
    transactionsRoot: EMPTY_ROOT,
    receiptsRoot: EMPTY_ROOT,
    stateRoot: treeRoot(tree),
    historyRoot: EMPTY_ROOT,
    nextValidatorsHash: validatorSetHash(chainId, validators),
    seal: EMPTY,
  };
  const leaves = [historyLeaf(blockId(origin))];
  let history = appendLeaf(EMPTY_FRONTIER, leaves[0]!);
  let parent = origin;
  let inForce = validators;
  const blocks: ChainBlock[] = [];
  const setChanges: SetChange[] = [];
  for (let height = 1; height <= length; height++) {
    const transactions = Array.from({ length: 4 + (height % 4) }, (_, i) => transactionOf(chainId, `${height}.${i}`));
    const receipts = transactions.map(receiptOf);
    tree = update(
      tree,
      new Map([
        [stateKey(height), utf8(`at ${height}`)],
        [stateKey(100 + height), utf8('new')],
      ]),
    );
    const next = changes.get(height) ?? inForce;
    const header: Header = {
      ...origin,
      height,
      parent: blockId(parent),
      time: parent.time + 1000,
      transactionsRoot: merkleRoot(transactions.map(leafOf)),
      receiptsRoot: merkleRoot(receipts.map(each => encode(receipt, each))),
      stateRoot: treeRoot(tree),
      historyRoot: frontierRoot(history),
      nextValidatorsHash: validatorSetHash(chainId, next),
    };
    const block = { header, parent, certificate: certify(header, inForce, 0, rule), transactions, receipts, tree };
    blocks.push(block);
    if (changes.has(height)) setChanges.push({ header, parent, certificate: block.certificate, validators: next });
    leaves.push(historyLeaf(blockId(header)));
    history = appendLeaf(history, leaves[height]!);
    parent = header;
    inForce = next;
  }
  const block = (height: number): ChainBlock => blocks[height - 1]!;
  const evidence = (height: number): FinalityEvidence => {
    const { header, parent, certificate } = block(height);
    return {
      engine,
      rule,
      validators,
      origin,
      ancestry: below =>
        inclusionOf(
          below,
          height,
          completeNodes(i => leaves[i]!),
        ).path,
      changes: setChanges.filter(change => change.header.height < height),
      target: { header, parent, certificate },
    };
  };
  return {
    genesis,
    evidence,
    block,
    transactionProof: (height, index) =>
      buildTransactionProof(evidence(height), block(height).transactions, block(height).receipts, index),
    stateProof: (height, key) => buildStateProof(evidence(height), block(height).tree, key),
  };
}
