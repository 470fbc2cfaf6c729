/** Who plays: five organisations of one apple supply chain, four of which run a validator, and two people with tokens. */
import type { Wallet } from '../../client/wallet/wallet.ts';
import { ROLES } from '../../ledger/modules/operation.ts';
import type { MemberPlan, NetworkPlan } from '../network/plan.ts';
import { withBonds } from '../network/staking.ts';

export interface Organisation {
  readonly id: string;
  readonly name: string;
  readonly gs1Prefix: string;
}

/** The first four run node0 … node3; the carrier uses the node of the first. */
export const ORGANISATIONS: readonly Organisation[] = [
  { id: 'orchard', name: 'Alta Orchard', gs1Prefix: '9521001' },
  { id: 'press', name: 'Riva Press', gs1Prefix: '9521002' },
  { id: 'cannery', name: 'Borgo Cannery', gs1Prefix: '9521003' },
  { id: 'grocer', name: 'Mercato', gs1Prefix: '9521005' },
  { id: 'carrier', name: 'Nordlog', gs1Prefix: '9521004' },
];

export interface Person {
  readonly id: string;
  /** Whose account it is. */
  readonly member: string;
  /** In base units. */
  readonly funds: bigint;
}

export const ALICE: Person = { id: 'alice', member: 'orchard', funds: 100_000n };
export const BOB: Person = { id: 'bob', member: 'grocer', funds: 25_000n };
const PEOPLE: readonly Person[] = [ALICE, BOB];

export const TOKEN = { symbol: 'QRT', name: 'Quorate Token', decimals: 2 } as const;
export const VALIDATORS = 4;

/** Every wallet: of an organisation by its id, of a person by the name. */
export const WALLET_NAMES: readonly string[] = [...ORGANISATIONS, ...PEOPLE].map(each => each.id);

export const organisationName = (id: string): string => ORGANISATIONS.find(each => each.id === id)?.name ?? id;

/** Which node an organisation uses: its own, where it has one. */
export function nodeOf(member: string): number {
  const at = ORGANISATIONS.findIndex(each => each.id === member);
  return at >= 0 && at < VALIDATORS ? at : 0;
}

/** Each organisation manages itself, and the first one administers the network. */
export function planOf(wallets: ReadonlyMap<string, Wallet>, engine: string, genesisTime: number): NetworkPlan {
  const keyOf = (name: string) => wallets.get(name)!.publicKey;
  const members = ORGANISATIONS.map(({ id, name, gs1Prefix }, i): MemberPlan => {
    const roles = ROLES.filter(role => role !== 'administer' || i === 0);
    const people = PEOPLE.filter(each => each.member === id);
    return {
      id,
      name,
      roles,
      gs1Prefixes: [gs1Prefix],
      accounts: [
        { keys: [keyOf(id)], roles },
        ...people.map(each => ({ keys: [keyOf(each.id)], roles: ['submit'] as const })),
      ],
    };
  });
  const addressOf = (name: string) => wallets.get(name)!.address;
  const holders = PEOPLE.map(({ id, funds }) => ({ address: addressOf(id), amount: funds }));
  const tokens = [{ ...TOKEN, admins: [addressOf(ORGANISATIONS[0]!.id)], holders }];
  return withBonds({ chainId: 'quorate-demo', genesisTime, engine, members, tokens }, TOKEN.symbol);
}
