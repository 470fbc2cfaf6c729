/** Writes the home of one node, with keys that never leave it: how an organisation joins a network of others. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { publicKeyOf } from '#crypto';
import { parseGenesis } from '../../ledger/genesis-file.ts';
import { FaultError } from '../../ledger/types/errors.ts';
import type { PublicKey } from '../../ledger/types/ids.ts';
import { configText } from '../../node/config.ts';
import { createKey } from '../../node/keys.ts';

export interface NodeFiles {
  /** An observer has no key to vote with. */
  readonly observer: boolean;
  /** The genesis.json of the network; null: it will be put there later. */
  readonly genesis: string | null;
}

export interface CreatedHome {
  /** Absolute. */
  readonly home: string;
  readonly nodeKey: PublicKey;
  readonly validatorKey: PublicKey | null;
}

/** Throws HOME_EXISTS rather than write over anything, the fault of a genesis that is none, and those of the file system. */
export function createNodeHome(directory: string, { observer, genesis }: NodeFiles): CreatedHome {
  const home = resolve(directory);
  if (existsSync(home) && readdirSync(home).length > 0)
    throw new FaultError({
      code: 'HOME_EXISTS',
      message: `${home} is there already`,
      hint: 'choose another directory with --home',
      data: { home },
    });
  if (genesis !== null) {
    const checked = parseGenesis(readFileSync(genesis));
    if (!checked.ok) throw new FaultError(checked.error);
  }
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const nodeKey = publicKeyOf(createKey(join(home, 'keys', 'node.key')));
  const validatorKey = observer ? null : publicKeyOf(createKey(join(home, 'keys', 'validator.key')));
  writeFileSync(join(home, 'config.toml'), configText({ network: { listen: '127.0.0.1:7400', peers: [] } }));
  if (genesis !== null) copyFileSync(genesis, join(home, 'genesis.json'));
  return { home, nodeKey, validatorKey };
}
