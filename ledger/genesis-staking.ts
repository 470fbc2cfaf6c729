import type { Genesis, GenesisStaking } from './genesis.ts';
import { fault } from './genesis-reader.ts';
import { BONDS_MAX } from './modules/staking/stake.ts';
import type { PublicKey } from './types/ids.ts';

const PATH = 'modules.staking';

/**
 * What the staking section must be to the rest of a genesis. Throws the first fault, in this order: `GENESIS_STAKING_ENGINE`,
 * `GENESIS_UNKNOWN_TOKEN`, `GENESIS_UNKNOWN_VALIDATOR`, `GENESIS_UNKNOWN_ACCOUNT`, `GENESIS_BOND_TOO_SMALL`,
 * `GENESIS_TOO_MANY_BONDS`, `GENESIS_POWER_NOT_BONDED`.
 */
export function checkStaking(genesis: Genesis, accounts: ReadonlySet<string>): void {
  const { staking, consensus, tokens } = genesis;
  if (staking === null) return;
  if (consensus.engine !== 'pos')
    throw fault(
      'GENESIS_STAKING_ENGINE',
      PATH,
      `is given for the engine ${consensus.engine}`,
      'Leave it out, or set consensus.engine to pos.',
    );
  if (!tokens.some(each => each.symbol === staking.token))
    throw fault('GENESIS_UNKNOWN_TOKEN', PATH, `stakes ${staking.token}`, 'Name a token of modules.tokens.');
  checkBonds(genesis, staking, accounts);
  checkPowers(genesis, staking);
}

function checkBonds({ validators }: Genesis, { bonds, unit }: GenesisStaking, accounts: ReadonlySet<string>): void {
  const counts = new Map<PublicKey, number>(validators.map(each => [each.key, 0]));
  for (const { validator, account, amount } of bonds) {
    const count = counts.get(validator);
    if (count === undefined)
      throw fault('GENESIS_UNKNOWN_VALIDATOR', PATH, `bonds to ${validator}`, 'Name a key that validators lists.');
    if (!accounts.has(account))
      throw fault('GENESIS_UNKNOWN_ACCOUNT', PATH, `has a bond of ${account}`, 'Give an account of a member.');
    if (amount < unit)
      throw fault('GENESIS_BOND_TOO_SMALL', PATH, `has a bond of ${amount}`, `Bond a unit at least: ${unit}.`);
    if (count >= BONDS_MAX)
      throw fault('GENESIS_TOO_MANY_BONDS', PATH, `bonds more to ${validator}`, `Keep it to ${BONDS_MAX} accounts.`);
    counts.set(validator, count + 1);
  }
}

function checkPowers({ validators }: Genesis, { bonds, unit }: GenesisStaking): void {
  for (const { key, name, power } of validators) {
    const bonded = bonds.reduce((sum, bond) => (bond.validator === key ? sum + bond.amount : sum), 0n) / unit;
    if (bonded !== BigInt(power))
      throw fault(
        'GENESIS_POWER_NOT_BONDED',
        'validators',
        `give ${name} a power of ${power}, where ${bonded} whole units are bonded`,
        'Make the two agree.',
      );
  }
}
