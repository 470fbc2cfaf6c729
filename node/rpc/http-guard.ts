/**
 * Which requests a browser may carry here. A page of another origin must not reach a node that listens on the reader's own
 * machine: neither by a request that needs no preflight (checked by `Origin`) nor under a name that it makes point here
 * (DNS rebinding, checked by `Host`). Programs send no `Origin`, and a name that is an address cannot be made to point elsewhere.
 */
import { isIP } from 'node:net';
import type { Fault } from '../../ledger/types/errors.ts';
import { fault } from './errors.ts';

export interface GuardOptions {
  /** Host names beside `localhost` and plain addresses. */
  readonly hosts: readonly string[];
  /** Origins beside this server's own, such as `https://explorer.example`; `*` admits every one. */
  readonly origins: readonly string[];
}

/** The name in a `Host` header, without its port and the brackets of an IPv6 address; null where it is none. */
export function hostName(header: string): string | null {
  const match = /^(?:\[([0-9a-fA-F:.]{2,45})\]|([A-Za-z0-9._-]{1,253}))(?::\d{1,5})?$/.exec(header);
  return (match?.[1] ?? match?.[2])?.toLowerCase() ?? null;
}

function hostAllowed(name: string, hosts: readonly string[]): boolean {
  return isIP(name) !== 0 || name === 'localhost' || name.endsWith('.localhost') || hosts.includes(name);
}

/** null: let it pass. */
export function guard(
  headers: { readonly host?: string | undefined; readonly origin?: string | undefined },
  { hosts, origins }: GuardOptions,
): Fault | null {
  const { host, origin } = headers;
  const name = host === undefined ? null : hostName(host);
  if (name === null || !hostAllowed(name, hosts))
    return fault('HOST_REFUSED', 'this node is not served under that host name');
  if (origin === undefined || origins.includes('*') || origins.includes(origin)) return null;
  const own = origin === `http://${host}` || origin === `https://${host}`;
  return own ? null : fault('ORIGIN_REFUSED', 'pages of that origin may not call this node');
}
