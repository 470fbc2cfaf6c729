/** What a new network is to be: from that and the keys of its nodes comes a genesis, checked by the rules that nodes check with. */
import { publicKeyText } from '../../ledger/crypto/keys.ts';
import {
  addressOf,
  ENGINE_PARAMS,
  type EngineParams,
  type Genesis,
  LIMITS,
  type OwnParams,
} from '../../ledger/genesis.ts';
import { parseGenesis } from '../../ledger/genesis-file.ts';
import type { Limits, Role } from '../../ledger/modules/operation.ts';
import type { Address } from '../../ledger/types/address.ts';
import { utf8 } from '../../ledger/types/bytes.ts';
import { FaultError } from '../../ledger/types/errors.ts';
import type { PublicKey } from '../../ledger/types/ids.ts';
import { checkEngine, ownParamsOf } from '../../node/engines.ts';

export interface AccountPlan {
  readonly keys: readonly PublicKey[];
  /** 1 unless said otherwise. */
  readonly threshold?: number;
  readonly roles: readonly Role[];
}

export interface MemberPlan {
  readonly id: string;
  readonly name: string;
  /** What its accounts may do at most. */
  readonly roles: readonly Role[];
  readonly accounts: readonly AccountPlan[];
  readonly gs1Prefixes?: readonly string[];
}

export interface TokenPlan {
  readonly symbol: string;
  readonly name: string;
  readonly decimals: number;
  readonly admins: readonly Address[];
  /** Amounts in base units. */
  readonly holders: readonly { readonly address: Address; readonly amount: bigint }[];
}

/** What every validator's member bonds on it to begin with, and what bonds may earn. */
export interface StakingPlan {
  readonly token: string;
  /** Base units for one unit of voting power. */
  readonly unit: bigint;
  /** Voting power of each validator. */
  readonly power: number;
  /** Base units set aside for rewards. */
  readonly rewards: bigint;
  /** What a bond earns in a block, in trillionths of itself. */
  readonly rewardPpt: number;
}

export interface NetworkPlan {
  readonly chainId: string;
  /** Unix time in ms. */
  readonly genesisTime: number;
  readonly engine: string;
  /** Node i belongs to member i; where there are fewer members than nodes, it begins with the first again. */
  readonly members: readonly MemberPlan[];
  readonly tokens: readonly TokenPlan[];
  /** For an engine whose power follows what is bonded. */
  readonly staking?: StakingPlan;
  /** What differs from the defaults. */
  readonly params?: Partial<EngineParams>;
  /** The same of those that the engine alone has. */
  readonly own?: OwnParams;
  readonly limits?: Partial<Limits>;
}

/** The public keys of one node: who it is to its peers, and what it votes with. */
export interface NodeKeys {
  readonly node: PublicKey;
  readonly validator: PublicKey;
}

/** The address of an account that a plan lists. */
export const plannedAddress = ({ keys, threshold = 1 }: AccountPlan): Address =>
  addressOf({ keys: keys.toSorted(), threshold });

/** The text of `genesis.json` and what it says. Throws the fault of a plan that no node would accept. */
export function genesisOf(plan: NetworkPlan, nodes: readonly NodeKeys[]): { text: string; genesis: Genesis } {
  const text = `${JSON.stringify(genesisJson(plan, nodes), null, 2)}\n`;
  const genesis = parseGenesis(utf8(text));
  if (!genesis.ok) throw new FaultError(genesis.error);
  const fits = checkEngine(genesis.value);
  if (!fits.ok) throw new FaultError(fits.error);
  return { text, genesis: genesis.value };
}

function genesisJson(plan: NetworkPlan, nodes: readonly NodeKeys[]): unknown {
  const { chainId, genesisTime, engine, members, tokens, staking, params, limits } = plan;
  const own = ownParamsOf(engine, plan.own);
  const memberOf = (i: number) => members[i % members.length]!.id;
  return {
    chainId,
    genesisTime: new Date(genesisTime).toISOString(),
    consensus: { engine, params: { ...ENGINE_PARAMS, ...params }, ...(Object.keys(own).length > 0 && { own }) },
    validators: nodes.map(({ validator }, i) => ({
      name: nodeName(i),
      publicKey: publicKeyText(validator),
      power: staking?.power ?? 1,
      member: memberOf(i),
    })),
    members: members.map(({ gs1Prefixes = [], ...member }) => ({
      ...member,
      gs1Prefixes,
      accounts: member.accounts.map(accountJson),
    })),
    nodes: nodes.map(({ node }, i) => ({
      name: nodeName(i),
      nodeKey: publicKeyText(node),
      member: memberOf(i),
      role: 'validator',
    })),
    modules: {
      ...{ tokens: tokens.map(tokenJson), supply: {} },
      ...(staking && { staking: stakingJson(staking, plan, nodes) }),
    },
    limits: { ...LIMITS, ...limits },
  };
}

export const nodeName = (i: number): string => `node${i}`;

const accountJson = (account: AccountPlan) => ({
  address: plannedAddress(account),
  threshold: account.threshold ?? 1,
  keys: account.keys.map(publicKeyText),
  roles: account.roles,
});

function stakingJson(
  { token, unit, power, rewards, rewardPpt }: StakingPlan,
  plan: NetworkPlan,
  nodes: readonly NodeKeys[],
) {
  const bonds = nodes.map(({ validator }, i) => ({
    validator: publicKeyText(validator),
    account: plannedAddress(plan.members[i % plan.members.length]!.accounts[0]!),
    amount: String(unit * BigInt(power)),
  }));
  return { token, unit: String(unit), rewardPpt, rewards: String(rewards), bonds };
}

const tokenJson = ({ holders, ...token }: TokenPlan) => ({
  ...token,
  holders: holders.map(({ address, amount }) => ({ address, amount: String(amount) })),
});
