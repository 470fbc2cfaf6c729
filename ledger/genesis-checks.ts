import { addressOf, type Genesis, stakedOf } from './genesis.ts';
import { fault } from './genesis-reader.ts';
import { checkStaking } from './genesis-staking.ts';
import { administers } from './modules/roles.ts';
import { AMOUNT_MAX } from './modules/tokens/token.ts';
import type { Address } from './types/address.ts';
import type { MemberId } from './types/ids.ts';
import { TOTAL_POWER_MAX, totalPower } from './types/validator.ts';

/**
 * What the parts of a genesis must be to one another. Throws the first fault, in this order: `GENESIS_NO_VALIDATORS`,
 * `GENESIS_TOO_MUCH_POWER`, `GENESIS_UNKNOWN_MEMBER`, `GENESIS_DUPLICATE` (an account of two members), `GENESIS_UNKNOWN_ACCOUNT`
 * (an admin of a token), `GENESIS_NO_ADMINISTRATOR`, `GENESIS_PREFIX_OVERLAP`, `GENESIS_SUPPLY_TOO_LARGE`, `GENESIS_LIMITS`, and those of {@link checkStaking}.
 */
export function checkGenesis(genesis: Genesis): void {
  checkValidators(genesis);
  checkMembers(genesis);
  const accounts = checkAccounts(genesis);
  checkPrefixes(genesis);
  checkSupplies(genesis);
  checkLimits(genesis);
  checkStaking(genesis, accounts);
}

function checkValidators({ validators }: Genesis): void {
  if (validators.length === 0)
    throw fault('GENESIS_NO_VALIDATORS', 'validators', 'is empty', 'List at least one validator.');
  const power = totalPower(validators);
  if (power > TOTAL_POWER_MAX)
    throw fault(
      'GENESIS_TOO_MUCH_POWER',
      'validators',
      `have a power of ${power} together`,
      'Keep the sum at or below 2^48.',
    );
}

function checkMembers({ members, validators, nodes }: Genesis): void {
  const known = new Set<MemberId>(members.map(each => each.id));
  const check = (path: string, name: string, member: MemberId) => {
    if (!known.has(member))
      throw fault(
        'GENESIS_UNKNOWN_MEMBER',
        path,
        `names the member ${member} of ${name}`,
        'List that member under members, or correct the id.',
      );
  };
  for (const each of validators) check('validators', each.name, each.member);
  for (const each of nodes) check('nodes', each.name, each.member);
}

/** The accounts that there are. */
function checkAccounts({ members, tokens }: Genesis): ReadonlySet<Address> {
  const owners = new Map<Address, MemberId>();
  let administrators = 0;
  for (const { id, roles, accounts } of members) {
    for (const account of accounts) {
      const address = addressOf(account);
      const other = owners.get(address);
      if (other !== undefined)
        throw fault(
          'GENESIS_DUPLICATE',
          'members',
          `${other} and ${id} have the same account ${address}`,
          'Give each its own keys.',
        );
      owners.set(address, id);
      if (administers(roles) && administers(account.roles)) administrators++;
    }
  }
  for (const token of tokens)
    for (const admin of token.admins)
      if (!owners.has(admin))
        throw fault(
          'GENESIS_UNKNOWN_ACCOUNT',
          'modules.tokens',
          `${token.symbol} has the admin ${admin}`,
          'Give the address of an account of a member.',
        );
  if (administrators === 0)
    throw fault(
      'GENESIS_NO_ADMINISTRATOR',
      'members',
      'have no account that could administer the network',
      'Give the roles submit and administer to a member and to one of its accounts.',
    );
  return new Set(owners.keys());
}

function checkPrefixes({ members }: Genesis): void {
  const all = members.flatMap(({ id, gs1Prefixes }) => gs1Prefixes.map(digits => ({ digits, id })));
  // In order of digits, whatever begins with a prefix follows it, up to the next one that does not.
  all.sort((a, b) => (a.digits < b.digits ? -1 : a.digits > b.digits ? 1 : 0));
  for (let i = 1; i < all.length; i++) {
    const [shorter, longer] = [all[i - 1]!, all[i]!];
    if (longer.digits.startsWith(shorter.digits))
      throw fault(
        'GENESIS_PREFIX_OVERLAP',
        'members',
        `${longer.digits} of ${longer.id} begins with ${shorter.digits} of ${shorter.id}`,
        'Register each prefix once, and none that begins with another.',
      );
  }
}

function checkSupplies(genesis: Genesis): void {
  for (const { symbol, holders } of genesis.tokens) {
    const supply = holders.reduce((sum, holder) => sum + holder.amount, stakedOf(genesis, symbol));
    if (supply > AMOUNT_MAX)
      throw fault(
        'GENESIS_SUPPLY_TOO_LARGE',
        'modules.tokens',
        `${symbol} has a supply of ${supply}`,
        'Keep it below 2^128 base units.',
      );
  }
}

/** Relations without which something allowed by one limit could never pass another. */
function checkLimits({ limits, consensus: { params } }: Genesis): void {
  const relations: readonly [string, number, string, number][] = [
    ['limits.transactionBytesMax', limits.transactionBytesMax, 'limits.blockBytesMax', limits.blockBytesMax],
    [
      'limits.eventBytesMax',
      limits.eventBytesMax + EVENT_OVERHEAD,
      'limits.transactionBytesMax',
      limits.transactionBytesMax,
    ],
    ['limits.windowMs', limits.windowMs, 'limits.offlineWindowMs', limits.offlineWindowMs],
    [
      'consensus.params.viewTimeoutMs',
      params.viewTimeoutMs,
      'consensus.params.viewTimeoutMsMax',
      params.viewTimeoutMsMax,
    ],
    [
      'consensus.params.blockIntervalMinMs',
      params.blockIntervalMinMs,
      'consensus.params.heartbeatMs',
      params.heartbeatMs,
    ],
  ];
  for (const [path, smaller, other, larger] of relations)
    if (smaller > larger)
      throw fault(
        'GENESIS_LIMITS',
        path,
        `does not fit into ${other}`,
        `Lower it, or raise ${other} (to ${smaller} at least).`,
      );
}

/** What surrounds an event in a transaction: body, sixteen signatures, ignored fields. */
const EVENT_OVERHEAD = 4 * 1024;
