import { appendHistory, type BlockState, validatorsOf } from './block-state.ts';
import { blockId, validatorSetHash } from './crypto/ids.ts';
import { EMPTY_FRONTIER, EMPTY_ROOT } from './crypto/merkle.ts';
import { addressOf, type Genesis, type GenesisBond, type GenesisStaking, genesisId, stakedOf } from './genesis.ts';
import { putAccount } from './modules/members/account.ts';
import { putMember } from './modules/members/member.ts';
import { putNode } from './modules/members/network-node.ts';
import { addPrefixOf } from './modules/members/prefixes.ts';
import type { ModuleState } from './modules/operation.ts';
import { rewardPool, stakingParams } from './modules/staking/params.ts';
import { type Bond, stakes } from './modules/staking/stake.ts';
import { addTo, holdingOf, tokens } from './modules/tokens/token.ts';
import { putRegister } from './modules/validators/register.ts';
import { recordedFrom } from './recorded.ts';
import { overlay } from './state/overlay.ts';
import { emptyTree, treeRoot, update } from './state/tree.ts';
import { type Bytes, EMPTY } from './types/bytes.ts';
import { HEADER_VERSION, type Header } from './types/header.ts';

/** Block 0: without transactions, its state is what genesis says. */
export interface GenesisBlock {
  readonly state: BlockState;
  /** Every entry of the state. */
  readonly changes: ReadonlyMap<string, Bytes | null>;
}

export function genesisBlock(genesis: Genesis): GenesisBlock {
  const entries = overlay(emptyTree);
  install(entries, genesis);
  const changes = entries.writes();
  const tree = update(emptyTree, changes);
  const validators = validatorsOf(tree);
  const header: Header = {
    version: HEADER_VERSION,
    chainId: genesis.chainId,
    height: 0,
    parent: genesisId(genesis),
    time: genesis.genesisTime,
    proposer: validators[0]!.key,
    transactionsRoot: EMPTY_ROOT,
    receiptsRoot: EMPTY_ROOT,
    stateRoot: treeRoot(tree),
    historyRoot: EMPTY_ROOT,
    nextValidatorsHash: validatorSetHash(genesis.chainId, validators),
    seal: EMPTY,
  };
  const id = blockId(header);
  const history = appendHistory(EMPTY_FRONTIER, id);
  const recorded = recordedFrom([]);
  return { state: { id, header, tree, validators, history, recorded, standings: new Map() }, changes };
}

/** Writes the initial state with the same lines that the operations write with. */
function install(state: ModuleState, genesis: Genesis): void {
  for (const { id, name, roles, accounts, gs1Prefixes } of genesis.members) {
    putMember(state, id, { name, roles, administrators: 0, nodes: 0 });
    for (const account of accounts) putAccount(state, addressOf(account), { ...account, member: id, suspended: false });
    for (const digits of gs1Prefixes) addPrefixOf(state, id, digits);
  }
  for (const { key, name, member, role } of genesis.nodes) putNode(state, key, { name, member, role }, true);
  putRegister(state, { since: 0, validators: genesis.validators });
  for (const { symbol, name, decimals, admins, holders } of genesis.tokens) {
    const held = holders.reduce((sum, holder) => sum + holder.amount, 0n);
    const supply = held + stakedOf(genesis, symbol);
    tokens.set(state, { name, decimals, supply, admins }, symbol);
    for (const { address, amount } of holders) addTo(state, symbol, address, holdingOf(state, symbol, address), amount);
  }
  if (genesis.staking !== null) installStaking(state, genesis, genesis.staking);
}

function installStaking(state: ModuleState, { chainId, validators }: Genesis, staking: GenesisStaking): void {
  const { rewards, bonds, token, unit, unbondingBlocks, slashPercent, rewardPpt } = staking;
  stakingParams.set(state, { chainId, token, unit, unbondingBlocks, slashPercent, rewardPpt });
  rewardPool.set(state, rewards === 0n ? null : rewards);
  for (const { key, member, name } of validators) {
    const own = bonds.filter(each => each.validator === key);
    const first = ({ account, amount }: GenesisBond): Bond => ({ account, amount, since: 0, earned: 0n, leaving: [] });
    stakes.set(state, { member, name, jailed: false, bonds: own.map(first) }, key);
  }
}
