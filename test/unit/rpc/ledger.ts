/** A small ledger in memory behind the ports of the API: real blocks, real signatures, the modules' own state entries. */
import { publicKeyOf, sha256, sign } from '#crypto';
import { blockId, identify, transactionId, transactionSigningBytes } from '../../../ledger/crypto/ids.ts';
import { accountAddress } from '../../../ledger/crypto/keys.ts';
import type { SecretKey } from '../../../ledger/crypto/port.ts';
import { putAccount } from '../../../ledger/modules/members/account.ts';
import { putMember } from '../../../ledger/modules/members/member.ts';
import { putNode } from '../../../ledger/modules/members/network-node.ts';
import { addPrefixOf } from '../../../ledger/modules/members/prefixes.ts';
import { ROLES } from '../../../ledger/modules/operation.ts';
import { addTo, holdingOf, tokens } from '../../../ledger/modules/tokens/token.ts';
import { transfer } from '../../../ledger/modules/tokens/transfer.ts';
import { open } from '../../../ledger/modules/validators/proposal.ts';
import { register } from '../../../ledger/modules/validators/register.ts';
import type { IdentifiedBlock } from '../../../ledger/types/block.ts';
import { type Bytes, compareText, utf8 } from '../../../ledger/types/bytes.ts';
import type { Certificate } from '../../../ledger/types/certificate.ts';
import { decode, encode } from '../../../ledger/types/codec.ts';
import type { Header } from '../../../ledger/types/header.ts';
import type { ChainId, Hash, Height, MemberId, TransactionId } from '../../../ledger/types/ids.ts';
import type { Receipt } from '../../../ledger/types/receipt.ts';
import { encodeTransaction, type IdentifiedTransaction, transaction } from '../../../ledger/types/transaction.ts';
import { acknowledgements } from '../../../node/acknowledgements.ts';
import { fault } from '../../../node/rpc/errors.ts';
import type {
  Admission,
  ChainReader,
  IncludedTransaction,
  NodeReader,
  PoolReader,
  Prover,
  StateReader,
  Submitter,
} from '../../../node/rpc/ports.ts';
import { story, ledger as supplyLedger } from '../supply/harness.ts';
import { BETA, PALLET, PREFIXES, SERIAL, to } from '../supply/ids.ts';
import { make, pack, ship, turn } from '../supply/verbs.ts';

export const CHAIN = 'rpc-test' as ChainId;
export const GENESIS_ID = '0e'.repeat(32) as Hash;
export const WAITERS_MAX = 40;
export const TIME = Date.UTC(2026, 0, 2, 3, 4, 5, 6);

export const keyOf = (name: string): SecretKey => ({ type: 'ed25519', secret: sha256(utf8(name)) });
export const addressOf = (name: string) => accountAddress(1, [publicKeyOf(keyOf(name))]);

export function transferOf(
  from: string,
  to: string,
  amount: bigint,
  validUntil = TIME + 60_000,
): IdentifiedTransaction {
  const key = keyOf(from);
  const payload = encode(transfer.schema, { token: 'QRT', to: addressOf(to), amount });
  const body = {
    chainId: CHAIN,
    sender: addressOf(from),
    validUntil,
    salt: sha256(utf8(`${from} ${to} ${amount}`)).slice(0, 8),
    after: null,
    operations: [{ kind: transfer.kind, payload }],
  };
  const signature = sign(key, transactionSigningBytes(CHAIN, transactionId(body)));
  return identify({ body, signatures: [{ key: publicKeyOf(key), signature }] });
}

export const base64Of = (value: IdentifiedTransaction): string =>
  Buffer.from(encodeTransaction(value)).toString('base64');

export const validators = ['v0', 'v1', 'v2', 'v3']
  .map((name, i) => ({ key: publicKeyOf(keyOf(name)), power: i + 1, member: 'org' as MemberId, name }))
  .sort((a, b) => compareText(a.key, b.key));

export const PROPOSAL_ID = '5a'.repeat(32) as TransactionId;

function genesisState(): Map<string, Bytes> {
  const map = new Map<string, Bytes>();
  const state = {
    get: (key: string) => map.get(key) ?? null,
    set: (key: string, value: Bytes | null) => void (value === null ? map.delete(key) : map.set(key, value)),
  };
  for (const id of ['org', 'shop'] as MemberId[]) {
    putMember(state, id, { name: `The ${id}`, roles: [...ROLES], administrators: 0, nodes: 0 });
  }
  for (const name of ['alice', 'bob', 'carol']) {
    const holders = { threshold: 1, keys: [publicKeyOf(keyOf(name))] };
    const member = (name === 'carol' ? 'shop' : 'org') as MemberId;
    const account = { member, roles: ['submit' as const], suspended: name === 'carol', ...holders };
    putAccount(state, addressOf(name), account);
  }
  for (const token of ['ABC', 'QRT']) {
    tokens.set(state, { name: `Token ${token}`, decimals: 2, supply: 2n ** 100n, admins: [addressOf('alice')] }, token);
    addTo(state, token, addressOf('alice'), holdingOf(state, token, addressOf('alice')), 2n ** 100n);
  }
  for (const { key, name } of validators)
    putNode(state, key, { name, member: 'org' as MemberId, role: 'validator' }, true);
  for (const digits of ['0614141', '9521321']) addPrefixOf(state, 'org' as MemberId, digits);
  register.set(state, { since: 0, validators });
  const change = { type: 'remove' as const, key: validators[0]!.key };
  open(state, PROPOSAL_ID, { change, proposer: 'org' as MemberId, expires: TIME + 1_000, votes: [] }, TIME);
  return map;
}

function headerAt(height: Height, parent: Hash): Header {
  const root = '11'.repeat(32) as Hash;
  return {
    version: 1,
    chainId: CHAIN,
    height,
    parent,
    time: TIME + height * 1_000,
    proposer: validators[0]!.key,
    transactionsRoot: root,
    receiptsRoot: root,
    stateRoot: root,
    historyRoot: root,
    nextValidatorsHash: root,
    seal: Uint8Array.of(1, 2, 3),
  };
}

const succeeded = (id: TransactionId): Receipt => ({
  transaction: id,
  succeeded: true,
  operation: 0,
  code: '',
  concerns: '',
  events: [{ kind: 'tokens.transferred', attributes: [['token', 'QRT']] }],
});

/** Apples in a crate become juice; the crate is on its way to beta. */
const SUPPLY_STORY = [
  ['acme', make(1, [SERIAL(1), SERIAL(2)])],
  ['acme', make(2, [SERIAL(9)])],
  ['acme', turn(3, [SERIAL(9)], [SERIAL(3)])],
  ['acme', pack(4, PALLET(1), [SERIAL(1), SERIAL(3)])],
  ['acme', ship(5, [PALLET(1)], to(BETA))],
] as const;

/** Everything the API reads and submits to. `record` makes a final block of what was admitted. */
export function memoryLedger() {
  const blocks: IdentifiedBlock[] = [];
  const receipts: Receipt[][] = [];
  const states: Map<string, Bytes>[] = [];
  const pending = new Map<TransactionId, IdentifiedTransaction>();
  const waits = acknowledgements(WAITERS_MAX);
  const condition = {
    ...{ busy: false, unfit: null as string | null, blocksBehind: 0, oldest: 0, manyTokens: false, decoded: 0, waits },
    /** What stands in a block that is not final, as under an engine whose blocks have to get deep. */
    ...{ finalityDepth: 0, included: null as IncludedTransaction | null },
  };

  function append(transactions: readonly IdentifiedTransaction[]): void {
    const header = headerAt(blocks.length, blocks.at(-1)?.id ?? GENESIS_ID);
    blocks.push({ id: blockId(header), header, transactions });
    receipts.push(transactions.map(each => succeeded(each.id)));
    states.push(new Map(states.at(-1) ?? genesisState()).set('test/height', Uint8Array.of(header.height)));
    for (const { id } of transactions) pending.delete(id);
    waits.settle(header.height, receipts.at(-1)!);
  }

  const placeOf = (id: TransactionId) => {
    for (const block of blocks) {
      const index = block.transactions.findIndex(each => each.id === id);
      if (index >= 0) return { block, index, receipt: receipts[block.header.height]![index]! };
    }
    return null;
  };

  const certificateOf = ({ id, header }: IdentifiedBlock): Certificate | null =>
    header.height === 0
      ? null
      : {
          height: header.height,
          block: id,
          view: 0,
          phase: 1,
          signatures: [0, 1, 2].map(index => ({ index, signature: new Uint8Array(64).fill(index) })),
        };

  const chain: ChainReader = {
    status: () => ({
      chainId: CHAIN,
      genesisId: GENESIS_ID,
      engine: 'pbft',
      trust: 'byzantine',
      finality: 'at once',
      finalityDepth: condition.finalityDepth,
      height: blocks.length - 1,
      finalHeight: blocks.length - 1,
      head: blocks.at(-1)!.id,
      time: blocks.at(-1)!.header.time,
      syncing: condition.blocksBehind > 0,
      blocksBehind: condition.blocksBehind,
      validators: validators.length,
    }),
    block(at) {
      const block = typeof at === 'number' ? blocks[at] : blocks.find(each => each.id === at);
      return block ? { block, certificate: certificateOf(block) } : null;
    },
    header: height => blocks[height] ?? null,
    receipts: height => receipts[height] ?? null,
    transaction(id) {
      const place = placeOf(id);
      if (!place) return null;
      const { block, index, receipt } = place;
      const { height, time } = block.header;
      return { transaction: block.transactions[index]!, receipt, height, index, block: block.id, time };
    },
    oldest: 0,
    included: id => (condition.included?.transaction.id === id ? condition.included : null),
  };

  function admit(bytes: Bytes): Admission {
    if (condition.busy)
      return { type: 'refused', fault: fault('BUSY', 'the pool is full', { data: { retryAfterMs: 250 } }) };
    condition.decoded += 1;
    const decoded = decode(transaction, bytes);
    if (!decoded.ok)
      return { type: 'refused', fault: { code: 'MALFORMED_TRANSACTION', message: decoded.error.reason, hint: '' } };
    const identified = identify(decoded.value);
    const place = placeOf(identified.id);
    if (place)
      return {
        type: 'final',
        final: { receipt: place.receipt, height: place.block.header.height, index: place.index },
      };
    if (identified.body.validUntil < TIME)
      return { type: 'refused', fault: fault('EXPIRED', 'validUntil is before the head') };
    pending.set(identified.id, identified);
    return { type: 'admitted', id: identified.id };
  }

  const submitter: Submitter = {
    submit: async transactions => transactions.map(admit),
    wait(id, timeoutMs, signal) {
      const place = placeOf(id);
      if (!place) return waits.wait(id, timeoutMs, signal);
      return Promise.resolve({ receipt: place.receipt, height: place.block.header.height, index: place.index });
    },
    simulate(bytes) {
      const decoded = decode(transaction, bytes);
      if (!decoded.ok) return { ok: false, error: { code: 'MALFORMED_TRANSACTION', message: 'no', hint: 'encode it' } };
      const { id } = identify(decoded.value);
      const refused = { succeeded: false, code: 'INSUFFICIENT_BALANCE', concerns: '12', events: [] };
      return { ok: true, value: { ...succeeded(id), ...refused } };
    },
  };

  const state: StateReader = {
    range: () => ({ oldest: condition.oldest, newest: states.length - 1 }),
    at: height => ({ get: key => states[height]!.get(key) ?? null }),
    list: (prefix, after, limit) =>
      [...states.at(-1)!]
        .map(([key, value]) => ({ key, value }))
        .filter(({ key }) => key.startsWith(prefix) && (after === null || key > after))
        .sort((a, b) => compareText(a.key, b.key))
        .slice(0, limit),
    tokens: () => (condition.manyTokens ? null : ['ABC', 'NIX', 'QRT']),
  };

  const pool: PoolReader = {
    status: () => ({
      ...{ senderTransactionsMax: 5 },
      transactions: pending.size,
      bytes: [...pending.values()].reduce((sum, each) => sum + each.size, 0),
      transactionsMax: 10_000,
      bytesMax: 2 ** 26,
      oldestSince: pending.size === 0 ? null : TIME,
    }),
    get: id => pending.get(id) ?? null,
  };

  const prover: Prover = {
    transaction: id =>
      placeOf(id)
        ? { ok: true, value: utf8(`proof of ${id}`) }
        : { ok: false, error: fault('NOT_FOUND', `no final transaction ${id}`) },
    state: (key, height) => ({ ok: true, value: utf8(`proof of ${key} at ${height}`) }),
  };

  const key = validators[0]!.key;
  const statement = { signed: utf8('said'), signature: new Uint8Array(64) };
  const node: NodeReader = {
    info: () => ({
      nodeKey: key,
      validatorKey: key,
      version: '0.1.0',
      protocolVersion: 1,
      startedAt: TIME,
      uncheckedSignatures: false,
      consensus: {
        height: blocks.length,
        view: 0,
        phase: 'idle',
        leader: key,
        missing: [validators[1]!.key],
        voting: true,
        viewChanges: 2,
        equivocations: 0,
        held: 3,
      },
    }),
    peers: () =>
      validators.slice(1).map((each, i) => ({
        nodeKey: each.key,
        address: `/ip4/127.0.0.1/tcp/74${i}0`,
        direction: i === 0 ? 'inbound' : 'outbound',
        validatorKey: i === 2 ? null : each.key,
        height: i,
        connectedAt: TIME,
      })),
    evidence: () =>
      [5, 6, 7].map(height => ({
        offender: key,
        height,
        view: 0,
        phase: 'prepare',
        first: statement,
        second: statement,
      })),
    unfit: () => condition.unfit,
  };

  const goods = supplyLedger(PREFIXES);
  story(goods, SUPPLY_STORY);
  const supply = { newest: () => goods.reader };

  append([]);
  append([transferOf('alice', 'bob', 5n), transferOf('alice', 'carol', 7n)]);
  append([]);
  return {
    chain,
    submitter,
    state,
    pool,
    prover,
    supply,
    node,
    condition,
    record: () => append([...pending.values()]),
  };
}
