/** A node's home directory: what it is configured to be, which network it belongs to, and the keys it speaks with. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { publicKeyOf } from '#crypto';
import type { SecretKey } from '../ledger/crypto/port.ts';
import type { Genesis } from '../ledger/genesis.ts';
import { parseGenesis } from '../ledger/genesis-file.ts';
import { FaultError } from '../ledger/types/errors.ts';
import type { NodeId } from '../ledger/types/ids.ts';
import { type Config, type Environment, loadConfig } from './config.ts';
import { checkEngine } from './engines.ts';
import { loadKey } from './keys.ts';
import { uncheckedFault } from './unchecked-signatures.ts';

export interface Home {
  readonly path: string;
  readonly config: Config;
  readonly genesis: Genesis;
  readonly nodeKey: SecretKey;
  /** null: no `keys/validator.key`, an observer. */
  readonly validator: { readonly self: NodeId; readonly key: SecretKey } | null;
  /** Where blocks and state are. */
  readonly dataDirectory: string;
}

/** Reads and checks everything in a node's home. Throws a {@link FaultError} that names the first thing that is wrong. */
export function loadHome(home: string, environment: Environment): Home {
  const path = resolve(home);
  const config = loadConfig(join(path, 'config.toml'), environment);
  const genesis = loadGenesis(join(path, 'genesis.json'));
  const unchecked = uncheckedFault(config, genesis.chainId);
  if (unchecked) throw new FaultError(unchecked);
  const validatorKey = join(path, 'keys', 'validator.key');
  const key = existsSync(validatorKey) ? loadKey(validatorKey) : null;
  return {
    path,
    config,
    genesis,
    nodeKey: loadKey(join(path, 'keys', 'node.key')),
    validator: key && { self: publicKeyOf(key), key },
    dataDirectory: resolve(path, config.storage.directory),
  };
}

/** The genesis in a file. Throws GENESIS_UNREADABLE and what `parseGenesis` and `checkEngine` refuse. */
export function loadGenesis(path: string): Genesis {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new FaultError({
      code: 'GENESIS_UNREADABLE',
      message: `${path} cannot be read: ${(error as NodeJS.ErrnoException).code}`,
      hint: 'copy the genesis.json of the network there; it is the same file on every node',
      data: { path },
    });
  }
  const genesis = parseGenesis(bytes);
  if (!genesis.ok) throw new FaultError(genesis.error);
  const fits = checkEngine(genesis.value);
  if (!fits.ok) throw new FaultError({ ...fits.error, message: `${path}: ${fits.error.message}` });
  return genesis.value;
}
