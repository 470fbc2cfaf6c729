/** From the bytes of a `genesis.json` to a checked {@link Genesis}. What its parts mean stands in docs/protocol.md, "Genesis". */
import {
  ACCOUNTS_MAX,
  addressOf,
  bondKey,
  ENGINE_PARAMS,
  type EngineParams,
  type Genesis,
  type GenesisAccount,
  type GenesisMember,
  type GenesisNode,
  type GenesisStaking,
  type GenesisToken,
  HOLDERS_MAX,
  isEngineName,
  isOwnParamName,
  LIMITS,
  MEMBERS_MAX,
  NODES_MAX,
  OWN_PARAMS_MAX,
  type OwnParams,
  PREFIXES_MAX,
  STAKING,
  TOKENS_MAX,
} from './genesis.ts';
import { checkGenesis } from './genesis-checks.ts';
import {
  accountAddress,
  displayName,
  distinct,
  fault,
  fields,
  integer,
  items,
  key,
  member,
  members,
  type Part,
  parsed,
  roles,
  text,
  wholeAmount,
} from './genesis-reader.ts';
import { NODE_ROLES, type NodeRole } from './modules/members/network-node.ts';
import { isPrefix } from './modules/members/prefixes.ts';
import type { Limits } from './modules/operation.ts';
import { REWARD_PPT_MAX, SLASH_PERCENT_MAX, UNBONDING_BLOCKS_MAX } from './modules/staking/params.ts';
import { BONDS_MAX } from './modules/staking/stake.ts';
import { AMOUNT_MAX, DECIMALS_MAX, isTokenId, TOKEN_ADMINS_MAX } from './modules/tokens/token.ts';
import type { RegisteredValidator } from './modules/validators/register.ts';
import { OFFLINE_TRANSACTIONS_MAX } from './offline.ts';
import { BLOCK_BYTES_MAX, BLOCK_TRANSACTIONS_MAX } from './types/block.ts';
import type { Bytes } from './types/bytes.ts';
import { err, type Fault, FaultError, ok, type Result } from './types/errors.ts';
import { isChainId } from './types/ids.ts';
import { parseJson } from './types/json.ts';
import { parseTimestamp } from './types/timestamp.ts';
import { OPERATIONS_MAX, SIGNATURES_MAX, TRANSACTION_BYTES_MAX } from './types/transaction.ts';
import { TOTAL_POWER_MAX, VALIDATORS_MAX } from './types/validator.ts';

/** A larger file is not read. */
export const GENESIS_BYTES_MAX = 256 * 1024 * 1024;

const DAY = 24 * 60 * 60 * 1000;
/** Each limit with its largest value; the smallest is 1. */
const LIMIT_MAX: Limits = {
  blockTransactionsMax: BLOCK_TRANSACTIONS_MAX,
  blockBytesMax: BLOCK_BYTES_MAX,
  senderTransactionsMax: BLOCK_TRANSACTIONS_MAX,
  transactionBytesMax: TRANSACTION_BYTES_MAX,
  operationsMax: OPERATIONS_MAX,
  eventBytesMax: 256 * 1024,
  windowMs: DAY,
  offlineWindowMs: 366 * DAY,
  offlineTransactionsMax: OFFLINE_TRANSACTIONS_MAX,
};
const PARAM_MAX: EngineParams = {
  viewTimeoutMs: 60 * 60 * 1000,
  viewTimeoutMsMax: DAY,
  blockIntervalMinMs: 60 * 60 * 1000,
  heartbeatMs: DAY,
  driftMs: 60 * 60 * 1000,
};

/**
 * Reads and checks a `genesis.json`. A fault names the path of what is wrong: `GENESIS_BAD_JSON`, `GENESIS_UNKNOWN_KEY`,
 * `GENESIS_MISSING`, `GENESIS_BAD_VALUE`, `GENESIS_DUPLICATE`, and those of {@link checkGenesis}.
 */
export function parseGenesis(bytes: Bytes): Result<Genesis, Fault> {
  const json = parseJson(bytes, GENESIS_BYTES_MAX);
  if (!json.ok) {
    const message = `genesis is not JSON: ${json.error.reason} at offset ${json.error.offset}`;
    return err({ code: 'GENESIS_BAD_JSON', message, hint: 'Correct the file there.' });
  }
  try {
    const genesis = readGenesis({ path: '', value: json.value });
    checkGenesis(genesis);
    return ok(genesis);
  } catch (error) {
    if (error instanceof FaultError) return err(error);
    throw error;
  }
}

function readGenesis(part: Part): Genesis {
  const KEYS = ['chainId', 'genesisTime', 'consensus', 'validators', 'members', 'nodes', 'modules', 'limits'] as const;
  const file = fields(part, KEYS);
  const consensus = fields(file.consensus, ['engine', 'params', 'own']);
  const modules = fields(file.modules, ['tokens', 'supply', 'staking']);
  fields(modules.supply, []);
  return {
    chainId: text(file.chainId, isChainId, '1 to 64 of a-z 0-9 . _ -, beginning with a letter or digit'),
    genesisTime: parsed(file.genesisTime, parseTimestamp, 'a time in UTC such as 2026-01-31T12:00:00.000Z'),
    consensus: {
      engine: text(consensus.engine, isEngineName, 'the name of an engine, such as pbft'),
      params: numbers(consensus.params, ENGINE_PARAMS, PARAM_MAX),
      own: readOwn(consensus.own),
    },
    limits: numbers(file.limits, LIMITS, LIMIT_MAX),
    validators: distinct(items(file.validators, VALIDATORS_MAX).map(readValidator), 'validators', each => each.key),
    members: distinct(items(file.members, MEMBERS_MAX).map(readMember), 'members', each => each.id),
    nodes: distinct(items(file.nodes, NODES_MAX).map(readNode), 'nodes', each => each.key),
    tokens: distinct(items(modules.tokens, TOKENS_MAX).map(readToken), 'modules.tokens', each => each.symbol),
    staking: modules.staking.value === undefined ? null : readStaking(modules.staking),
  };
}

/** Whole numbers by name, each from 1 to its largest value, the default where it is missing. */
function numbers<T extends object>(part: Part, defaults: T, max: T): T {
  const names = Object.keys(defaults) as (keyof T & string)[];
  const given = fields(part, names);
  const value = (from: T, name: keyof T) => from[name] as number;
  const pairs = names.map(name => [name, integer(given[name], 1, value(max, name), value(defaults, name))]);
  return Object.fromEntries(pairs) as T;
}

/** Which of them an engine takes, and what each may be, is not known here: who runs the engine asks it. */
function readOwn(part: Part): OwnParams {
  const given = Object.entries(members(part, OWN_PARAMS_MAX));
  for (const [name, { path }] of given)
    if (!isOwnParamName(name))
      throw fault(
        'GENESIS_UNKNOWN_KEY',
        path,
        'is not a key of genesis',
        'Write it as 1 to 32 letters, the first a small one.',
      );
  return Object.fromEntries(given.map(([name, value]) => [name, integer(value, 0, Number.MAX_SAFE_INTEGER)]));
}

function readValidator(part: Part): RegisteredValidator {
  const given = fields(part, ['name', 'publicKey', 'power', 'member']);
  return {
    key: key(given.publicKey),
    power: integer(given.power, 1, TOTAL_POWER_MAX),
    member: member(given.member),
    name: displayName(given.name),
  };
}

function readMember(part: Part): GenesisMember {
  const given = fields(part, ['id', 'name', 'roles', 'accounts', 'gs1Prefixes']);
  const prefix = (item: Part) => text(item, isPrefix, 'a GS1 prefix: a string of 4 to 12 digits, or one key whole');
  return {
    id: member(given.id),
    name: displayName(given.name),
    roles: roles(given.roles),
    accounts: distinct(items(given.accounts, ACCOUNTS_MAX).map(readAccount), given.accounts.path, addressOf),
    gs1Prefixes: distinct(items(given.gs1Prefixes, PREFIXES_MAX).map(prefix), given.gs1Prefixes.path, each => each),
  };
}

function readAccount(part: Part): GenesisAccount {
  const given = fields(part, ['threshold', 'keys', 'roles', 'address']);
  const keys = distinct(items(given.keys, SIGNATURES_MAX).map(key), given.keys.path, each => each);
  if (keys.length === 0) throw fault('GENESIS_MISSING', given.keys.path, 'is empty', 'List at least one public key.');
  const account = { threshold: integer(given.threshold, 1, keys.length, 1), keys, roles: roles(given.roles) };
  if (given.address.value !== undefined && accountAddress(given.address) !== addressOf(account))
    throw fault(
      'GENESIS_WRONG_ADDRESS',
      given.address.path,
      'is not the address of these keys with this threshold',
      `Give ${addressOf(account)}, or leave it out.`,
    );
  return account;
}

function readNode(part: Part): GenesisNode {
  const given = fields(part, ['name', 'nodeKey', 'member', 'role']);
  const isNodeRole = (value: string): value is NodeRole => NODE_ROLES.some(each => each === value);
  return {
    key: key(given.nodeKey),
    name: displayName(given.name),
    member: member(given.member),
    role: text(given.role, isNodeRole, NODE_ROLES.join(' or ')),
  };
}

function readStaking(part: Part): GenesisStaking {
  const given = fields(part, ['token', 'unit', 'unbondingBlocks', 'slashPercent', 'rewardPpt', 'rewards', 'bonds']);
  const bond = (item: Part) => {
    const { validator, account, amount } = fields(item, ['validator', 'account', 'amount']);
    return {
      validator: key(validator),
      account: accountAddress(account),
      amount: wholeAmount(amount, AMOUNT_MAX),
    };
  };
  return {
    token: text(given.token, isTokenId, 'the symbol of a token'),
    unit: wholeAmount(given.unit, AMOUNT_MAX),
    unbondingBlocks: integer(given.unbondingBlocks, 1, UNBONDING_BLOCKS_MAX, STAKING.unbondingBlocks),
    slashPercent: integer(given.slashPercent, 1, SLASH_PERCENT_MAX, STAKING.slashPercent),
    rewardPpt: integer(given.rewardPpt, 0, REWARD_PPT_MAX, 0),
    rewards: given.rewards.value === undefined ? 0n : wholeAmount(given.rewards, AMOUNT_MAX),
    bonds: distinct(items(given.bonds, BONDS_MAX * VALIDATORS_MAX).map(bond), given.bonds.path, bondKey),
  };
}

function readToken(part: Part): GenesisToken {
  const given = fields(part, ['symbol', 'name', 'decimals', 'admins', 'holders']);
  const holder = (item: Part) => {
    const { address, amount } = fields(item, ['address', 'amount']);
    return { address: accountAddress(address), amount: wholeAmount(amount, AMOUNT_MAX) };
  };
  return {
    symbol: text(given.symbol, isTokenId, '1 to 16 letters, digits, . _ or -, beginning with a letter'),
    name: displayName(given.name),
    decimals: integer(given.decimals, 0, DECIMALS_MAX),
    admins: distinct(items(given.admins, TOKEN_ADMINS_MAX).map(accountAddress), given.admins.path, each => each),
    holders: distinct(items(given.holders, HOLDERS_MAX).map(holder), given.holders.path, each => each.address),
  };
}
