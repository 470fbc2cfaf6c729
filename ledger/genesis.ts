/**
 * What a network begins with. Its id is the hash of the canonical binary form, in which every list stands in a fixed order:
 * how a `genesis.json` is written never matters, only what it says. `genesis-file.ts` reads and checks that.
 */
import { sha256Hex } from '#crypto';
import { accountAddress } from './crypto/keys.ts';
import { type Holders, holders } from './modules/members/account.ts';
import { type NetworkNode, nodeRole } from './modules/members/network-node.ts';
import { prefixDigits } from './modules/members/prefixes.ts';
import { name } from './modules/names.ts';
import type { Limits } from './modules/operation.ts';
import { type RoleSet, roleSet } from './modules/roles.ts';
import { type StakingTerms, termsFields } from './modules/staking/params.ts';
import { BONDS_MAX } from './modules/staking/stake.ts';
import { admins, amount, decimals, positiveAmount, tokenId } from './modules/tokens/token.ts';
import { type RegisteredValidator, registeredValidator } from './modules/validators/register.ts';
import { type Address, address } from './types/address.ts';
import { compareText } from './types/bytes.ts';
import { ascending, type Codec, encode, mapped, struct, text, uint } from './types/codec.ts';
import {
  type ChainId,
  chainId,
  type Hash,
  type MemberId,
  type Millis,
  memberId,
  millis,
  type NodeId,
  type PublicKey,
  publicKey,
} from './types/ids.ts';
import { tagged } from './types/tags.ts';
import { VALIDATORS_MAX } from './types/validator.ts';

/** Times of the consensus engine in ms; what they mean stands in `consensus/core.ts`. */
export interface EngineParams {
  readonly viewTimeoutMs: number;
  readonly viewTimeoutMsMax: number;
  readonly blockIntervalMinMs: number;
  readonly heartbeatMs: number;
  readonly driftMs: number;
}

/** Whole numbers that one engine alone takes, by name: what they mean and may be, the engine says. */
export type OwnParams = Readonly<Record<string, number>>;

export interface GenesisAccount extends Holders {
  readonly roles: RoleSet;
}

export interface GenesisMember {
  readonly id: MemberId;
  readonly name: string;
  readonly roles: RoleSet;
  /** In ascending order of their address. */
  readonly accounts: readonly GenesisAccount[];
  /** In ascending order. */
  readonly gs1Prefixes: readonly string[];
}

export interface GenesisNode extends NetworkNode {
  readonly key: PublicKey;
}

export interface GenesisToken {
  readonly symbol: string;
  readonly name: string;
  readonly decimals: number;
  readonly admins: readonly Address[];
  /** In ascending order of address. */
  readonly holders: readonly { readonly address: Address; readonly amount: bigint }[];
}

export interface GenesisBond {
  readonly validator: NodeId;
  readonly account: Address;
  readonly amount: bigint;
}

/** Beside what the token's holders have: bonds and rewards are part of its supply. */
export interface GenesisStaking extends StakingTerms {
  readonly rewards: bigint;
  /** In ascending order of validator, then account. */
  readonly bonds: readonly GenesisBond[];
}

export interface Genesis {
  readonly chainId: ChainId;
  readonly genesisTime: Millis;
  readonly consensus: { readonly engine: string; readonly params: EngineParams; readonly own: OwnParams };
  readonly limits: Limits;
  /** In ascending order of key. */
  readonly validators: readonly RegisteredValidator[];
  /** In ascending order of id. */
  readonly members: readonly GenesisMember[];
  /** In ascending order of key. */
  readonly nodes: readonly GenesisNode[];
  /** In ascending order of symbol. */
  readonly tokens: readonly GenesisToken[];
  /** null: powers are what genesis and votes of the validators say. */
  readonly staking: GenesisStaking | null;
}

export const ENGINE_PARAMS: EngineParams = {
  viewTimeoutMs: 1_000,
  viewTimeoutMsMax: 8_000,
  blockIntervalMinMs: 20,
  heartbeatMs: 10_000,
  driftMs: 500,
};

export const LIMITS: Limits = {
  blockTransactionsMax: 2_000,
  blockBytesMax: 2 * 1024 * 1024,
  senderTransactionsMax: 500,
  transactionBytesMax: 128 * 1024,
  operationsMax: 100,
  eventBytesMax: 16 * 1024,
  windowMs: 10 * 60 * 1000,
  offlineWindowMs: 30 * 24 * 60 * 60 * 1000,
  offlineTransactionsMax: 100,
};

/** Of a genesis that stakes and does not say otherwise. */
export const STAKING: Pick<StakingTerms, 'unbondingBlocks' | 'slashPercent'> = {
  unbondingBlocks: 100_000,
  slashPercent: 5,
};

/** Bounds of what genesis may list, so that a hostile file is refused and not executed. */
export const MEMBERS_MAX = 10_000;
export const ACCOUNTS_MAX = 1_000_000;
export const PREFIXES_MAX = 100_000;
export const NODES_MAX = 10_000;
export const TOKENS_MAX = 10_000;
export const HOLDERS_MAX = 1_000_000;

export const OWN_PARAMS_MAX = 16;

const ENGINE = /^[a-z]{1,16}$/;
export const isEngineName = (value: string): boolean => ENGINE.test(value);

const OWN_PARAM = /^[a-z][A-Za-z]{0,31}$/;
export const isOwnParamName = (value: string): boolean => OWN_PARAM.test(value);

export const addressOf = (account: Holders): Address => accountAddress(account.threshold, account.keys);

const engineParams: Codec<EngineParams> = struct({
  viewTimeoutMs: millis,
  viewTimeoutMsMax: millis,
  blockIntervalMinMs: millis,
  heartbeatMs: millis,
  driftMs: millis,
});

/** A genesis that gives none ends before them, so that a list of none is refused. */
const ownParams: Codec<OwnParams> = mapped(
  ascending(
    struct<{ name: string; value: number }>({ name: text(32, isOwnParamName), value: uint() }),
    OWN_PARAMS_MAX,
    (a, b) => compareText(a.name, b.name),
  ),
  (entries, reader) =>
    entries.length > 0
      ? Object.fromEntries(entries.map(each => [each.name, each.value]))
      : reader.fail('an empty list'),
  own =>
    Object.entries(own)
      .map(([name, value]) => ({ name, value }))
      .sort((a, b) => compareText(a.name, b.name)),
);

const limits: Codec<Limits> = struct({
  blockTransactionsMax: uint(),
  blockBytesMax: uint(),
  senderTransactionsMax: uint(),
  transactionBytesMax: uint(),
  operationsMax: uint(),
  eventBytesMax: uint(),
  windowMs: millis,
  offlineWindowMs: millis,
  offlineTransactionsMax: uint(),
});

/** Threshold and keys stand before the roles, without a length of their own. */
const account: Codec<GenesisAccount> = {
  write(writer, value) {
    holders.write(writer, { threshold: value.threshold, keys: value.keys });
    roleSet.write(writer, value.roles);
  },
  read: reader => ({ ...holders.read(reader), roles: roleSet.read(reader) }),
};

const member: Codec<GenesisMember> = struct({
  id: memberId,
  name,
  roles: roleSet,
  accounts: ascending(account, ACCOUNTS_MAX, (a, b) => compareText(addressOf(a), addressOf(b))),
  gs1Prefixes: ascending(prefixDigits, PREFIXES_MAX, compareText),
});

const node: Codec<GenesisNode> = struct({ key: publicKey, name, member: memberId, role: nodeRole });

const holder = struct({ address, amount: positiveAmount });

const token: Codec<GenesisToken> = struct({
  symbol: tokenId,
  name,
  decimals,
  admins,
  holders: ascending(holder, HOLDERS_MAX, (a, b) => compareText(a.address, b.address)),
});

export const bondKey = ({ validator, account }: GenesisBond): string => `${validator} ${account}`;

const staking: Codec<GenesisStaking> = struct({
  ...termsFields,
  rewards: amount,
  bonds: ascending(
    struct<GenesisBond>({ validator: publicKey, account: address, amount: positiveAmount }),
    BONDS_MAX * VALIDATORS_MAX,
    (a, b) => compareText(bondKey(a), bondKey(b)),
  ),
});

/** What every genesis has. */
const body: Codec<Omit<Genesis, 'consensus' | 'staking'> & { consensus: Omit<Genesis['consensus'], 'own'> }> = struct({
  chainId,
  genesisTime: millis,
  consensus: struct({ engine: text(16, isEngineName), params: engineParams }),
  limits,
  validators: ascending(registeredValidator, VALIDATORS_MAX, (a, b) => compareText(a.key, b.key)),
  members: ascending(member, MEMBERS_MAX, (a, b) => compareText(a.id, b.id)),
  nodes: ascending(node, NODES_MAX, (a, b) => compareText(a.key, b.key)),
  tokens: ascending(token, TOKENS_MAX, (a, b) => compareText(a.symbol, b.symbol)),
});

/** Stands for staking where there is none and something follows: no token's symbol is empty. */
const NO_STAKING = 0;

/**
 * The canonical binary form (docs/protocol.md, "Genesis"). Staking and an engine's own parameters stand last, each or not at all: a
 * genesis without them is encoded as it was before there were any.
 */
export const genesis: Codec<Genesis> = {
  write(writer, value) {
    const { own } = value.consensus;
    const isOwn = Object.keys(own).length > 0;
    body.write(writer, value);
    if (value.staking !== null) staking.write(writer, value.staking);
    else if (isOwn) writer.u8(NO_STAKING);
    if (isOwn) ownParams.write(writer, own);
  },
  read(reader) {
    const value = body.read(reader);
    const isStaked = reader.left > 0 && reader.peek() !== NO_STAKING;
    const stakes = isStaked ? staking.read(reader) : null;
    const isOwn = reader.left > 0;
    if (isOwn && stakes === null) reader.u8();
    const own = isOwn ? ownParams.read(reader) : {};
    return { ...value, consensus: { ...value.consensus, own }, staking: stakes };
  },
};

/** What genesis bonds or sets aside of a token, beside what its holders have. */
export const stakedOf = ({ staking }: Genesis, symbol: string): bigint =>
  staking?.token === symbol ? staking.bonds.reduce((sum, bond) => sum + bond.amount, staking.rewards) : 0n;

/** Names the network: two nodes talk only if they agree on it. */
export const genesisId = (value: Genesis): Hash =>
  sha256Hex(tagged('quorate/genesis/1', value.chainId), encode(genesis, value));
