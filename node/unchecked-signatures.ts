/**
 * The switch for measurements that turns the signatures of clients off. Whoever can reach a node that runs with it can spend
 * what belongs to others: so nobody may be able to but programs of the same machine, and no network that is meant to last may have it.
 */
import { isIPv4 } from 'node:net';
import type { Fault } from '../ledger/types/errors.ts';
import type { ChainId } from '../ledger/types/ids.ts';
import type { Config } from './config.ts';
import { endpointText } from './settings.ts';

export const BENCH_CHAIN_PREFIX = 'bench-';

const KEY = 'bench.uncheckedSignatures';
const HINT = `remove ${KEY} from config.toml and its variable from the environment`;

// Addresses only: what a name stands for is decided elsewhere, and may change.
const isLoopback = (host: string): boolean => host === '::1' || (isIPv4(host) && host.startsWith('127.'));
const isLoopbackPeer = (address: string): boolean => /^\/(ip4\/127\.\d+\.\d+\.\d+|ip6\/::1)\//.test(address);

/**
 * Why a node of `chainId` may not run as `config` says; null where it may. Refuses, in this order: UNCHECKED_ON_REAL_CHAIN,
 * UNCHECKED_BEYOND_LOOPBACK (an address to listen at, or a peer).
 */
export function uncheckedFault({ bench, network, rpc, metrics }: Config, chainId: ChainId): Fault | null {
  if (!bench.uncheckedSignatures) return null;
  if (!chainId.startsWith(BENCH_CHAIN_PREFIX))
    return {
      code: 'UNCHECKED_ON_REAL_CHAIN',
      message: `${KEY} is on, and the chain is ${chainId}`,
      hint: `${HINT}: it is for chains whose id begins with ${BENCH_CHAIN_PREFIX}`,
      data: { key: KEY, chainId },
    };
  const listens = Object.entries({ network, rpc, metrics }).find(([, { listen }]) => !isLoopback(listen.host));
  if (listens) return beyondLoopback(`${listens[0]}.listen`, endpointText(listens[1].listen));
  const peer = network.peers.find(each => !isLoopbackPeer(each));
  return peer === undefined ? null : beyondLoopback('network.peers', peer);
}

const beyondLoopback = (where: string, address: string): Fault => ({
  code: 'UNCHECKED_BEYOND_LOOPBACK',
  message: `${KEY} is on, and ${where} is ${address}`,
  hint: `${HINT}, or keep the node on addresses of this machine such as 127.0.0.1`,
  data: { key: where, address },
});
