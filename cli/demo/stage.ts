/** Where the demo plays: a network of its own with the wallets of everyone in it. */
import { join, resolve } from 'node:path';
import { randomBytes } from '../../client/entropy.ts';
import { type Rpc, rpcClient } from '../../client/rpc.ts';
import { encryptKeys } from '../../client/wallet/key-file.ts';
import { generateMnemonic } from '../../client/wallet/mnemonic.ts';
import { type Wallet, walletFromMnemonic } from '../../client/wallet/wallet.ts';
import type { Hash } from '../../ledger/types/ids.ts';
import { unwrap } from '../fault.ts';
import { createNetwork } from '../network/create.ts';
import { type NodeHome, nodeHomes } from '../network/directory.ts';
import { choosePorts, refuseTaken } from '../network/ports.ts';
import { networkUp } from '../network/up.ts';
import { saveWallet } from '../wallet-store.ts';
import { nodeOf, planOf, VALIDATORS, WALLET_NAMES } from './cast.ts';
import { mark, refuseForeign, removeEarlier } from './directory.ts';

export interface Stage {
  /** Absolute; holds genesis.json, wallets/ and a directory for each node. */
  readonly home: string;
  readonly genesisFile: string;
  readonly genesisId: Hash;
  readonly nodes: readonly NodeHome[];
  readonly wallets: ReadonlyMap<string, Wallet>;
  /** Of every key file. */
  readonly passphrase: string;
  /** Aborted when the demo is to stop. */
  readonly signal: AbortSignal;
  /** The node that a member uses first, then the others. */
  readonly rpcOf: (member: string) => Rpc;
}

const PASSPHRASE_WORDS = 6;

/**
 * Writes the files of a new network; nothing runs yet. Throws the faults of a directory that is not the demo's own, and
 * PORT_IN_USE, before anything is changed.
 */
export async function setStage(
  directory: string,
  { engine, basePort }: { readonly engine: string; readonly basePort: number },
  signal: AbortSignal,
): Promise<Stage> {
  const home = resolve(directory);
  refuseForeign(home);
  if (basePort !== 0) await refuseTaken(await choosePorts(basePort, VALIDATORS));
  const wallets = new Map<string, Wallet>();
  for (const name of WALLET_NAMES) wallets.set(name, unwrap(await walletFromMnemonic(generateMnemonic(randomBytes))));
  removeEarlier(home);
  const { genesisId } = await createNetwork(home, planOf(wallets, engine, Date.now()), {
    validators: VALIDATORS,
    basePort,
  });
  mark(home);
  const nodes = nodeHomes(home);
  const urls = nodes.map(each => each.rpcUrl);
  const clients = urls.map((_, i) => rpcClient({ urls: [...urls.slice(i), ...urls.slice(0, i)] }));
  return {
    home,
    genesisFile: join(home, 'genesis.json'),
    genesisId,
    nodes,
    wallets,
    passphrase: generateMnemonic(randomBytes).split(' ').slice(0, PASSPHRASE_WORDS).join('-'),
    signal,
    rpcOf: member => clients[nodeOf(member)]!,
  };
}

/** What has to be done before the play begins. */
export const PREPARATIONS = VALIDATORS + WALLET_NAMES.length;

/** Starts the nodes; while they start, the key files are written, whose encryption is slow on purpose. */
export async function raiseCurtain(stage: Stage, onProgress: (prepared: number) => void): Promise<void> {
  stage.signal.throwIfAborted();
  let prepared = 0;
  const step = () => onProgress(++prepared);
  // Both have to end, whatever becomes of the other: a node that still starts could not be stopped.
  const ended = await Promise.allSettled([networkUp(stage.home, step), writeWallets(stage, step)]);
  for (const each of ended) if (each.status === 'rejected') throw each.reason;
  stage.signal.throwIfAborted();
}

async function writeWallets({ home, wallets, passphrase, signal }: Stage, onWritten: () => void): Promise<void> {
  for (const [name, wallet] of wallets) {
    signal.throwIfAborted();
    saveWallet(home, name, await encryptKeys(wallet, passphrase, randomBytes));
    onWritten();
  }
}
