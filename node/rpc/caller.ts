/** Whose share of calls a request counts against. */
import { isIPv4, isIPv6 } from 'node:net';
import { normalizeIP } from '@fastify/rate-limit';

/** A household or a server gets a whole /64 of IPv6 addresses, so that one is no more than one caller. */
const IPV6_SUBNET = 64;

export interface Caller {
  readonly address: string;
  readonly loopback: boolean;
}

export function callerOf(remoteAddress: string | undefined): Caller {
  if (remoteAddress === undefined) return { address: 'unknown', loopback: false };
  const address = normalizeIP(remoteAddress, isIPv6(remoteAddress) && remoteAddress !== '::1' ? IPV6_SUBNET : 128);
  return { address, loopback: address === '::1' || (isIPv4(address) && address.startsWith('127.')) };
}
