/**
 * Every setting of a node: its default, what it accepts and what it means. From this one table come the types of
 * {@link Config}, the checks of `config.toml`, the names of environment variables and the reference in docs/config.md.
 */
import { isIP } from 'node:net';

/** A host and a port; an IPv6 address stands in brackets in its text form. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface Setting<T> {
  /** Completes "… must be". */
  readonly accepts: string;
  /** As it is written in the file. */
  readonly initial: string | number | boolean | readonly string[];
  readonly summary: string;
  /** The value of what TOML says; null: refused. */
  read(value: unknown): { readonly value: T } | null;
  /** What an environment variable stands for in TOML; null: refused. */
  fromText(text: string): unknown;
}

export type ValueOf<S> = S extends Setting<infer T> ? T : never;

const INTEGER = /^-?\d{1,15}$/;

function integer(initial: number, min: number, max: number, summary: string): Setting<number> {
  return {
    accepts: `an integer from ${min} to ${max}`,
    initial,
    summary,
    read: value =>
      Number.isInteger(value) && Number(value) >= min && Number(value) <= max ? { value: Number(value) } : null,
    fromText: text => (INTEGER.test(text) ? Number(text) : null),
  };
}

/** A number, or `auto` for what suits the machine. */
function integerOrAuto(min: number, max: number, summary: string): Setting<number | 'auto'> {
  const number = integer(min, min, max, summary);
  return {
    ...number,
    accepts: `auto or ${number.accepts}`,
    initial: 'auto',
    read: value => (value === 'auto' ? { value } : number.read(value)),
    fromText: text => (text === 'auto' ? text : number.fromText(text)),
  };
}

function flag(initial: boolean, summary: string): Setting<boolean> {
  return {
    accepts: 'true or false',
    initial,
    summary,
    read: value => (typeof value === 'boolean' ? { value } : null),
    fromText: text => (text === 'true' || text === 'false' ? text === 'true' : null),
  };
}

function word<const W extends string>(words: readonly W[], initial: W, summary: string): Setting<W> {
  return {
    accepts: `one of ${words.join(', ')}`,
    initial,
    summary,
    read: value => (words.includes(value as W) ? { value: value as W } : null),
    fromText: text => text,
  };
}

function path(initial: string, summary: string): Setting<string> {
  return {
    accepts: 'a path',
    initial,
    summary,
    read: value => (typeof value === 'string' && value !== '' && !value.includes('\0') ? { value } : null),
    fromText: text => text,
  };
}

/** `127.0.0.1:7401`, `[::1]:7401` or `localhost:7401`; port 0 picks a free one. */
export function parseEndpoint(text: string): Endpoint | null {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]{1,253})):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > 65_535) return null;
  return match?.[1] !== undefined && isIP(host) !== 6 ? null : { host, port };
}

export const endpointText = ({ host, port }: Endpoint): string =>
  isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;

function endpoint(initial: string, summary: string): Setting<Endpoint> {
  return {
    accepts: 'a host and a port such as 127.0.0.1:7401',
    initial,
    summary,
    read(value) {
      const parsed = typeof value === 'string' ? parseEndpoint(value) : null;
      return parsed && { value: parsed };
    },
    fromText: text => text,
  };
}

/** A longer list is a mistake. */
const LIST_ITEMS_MAX = 1_000;

function texts(accepts: string, isItem: (text: string) => boolean, summary: string): Setting<readonly string[]> {
  const isText = (item: unknown): item is string => typeof item === 'string' && isItem(item);
  return {
    accepts: `an array of ${accepts}`,
    initial: [],
    summary,
    read: value => (Array.isArray(value) && value.length <= LIST_ITEMS_MAX && value.every(isText) ? { value } : null),
    fromText: text =>
      text
        .split(',')
        .map(item => item.trim())
        .filter(item => item !== ''),
  };
}

const isMultiaddr = (text: string): boolean => /^(\/[A-Za-z0-9.:_%-]+)+$/.test(text);
const isHostName = (text: string): boolean => /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(text);
const isOrigin = (text: string): boolean => text === '*' || /^https?:\/\/[a-z0-9.[\]:-]+$/.test(text);

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export const settings = {
  network: {
    listen: endpoint('127.0.0.1:7400', 'where other nodes connect'),
    peers: texts(
      'addresses such as /ip4/10.0.0.2/tcp/7400',
      isMultiaddr,
      'nodes that are always tried, with or without /p2p/… at the end; hints only: who may connect is on the ledger',
    ),
  },
  rpc: {
    listen: endpoint('127.0.0.1:7401', 'where clients call; anything but loopback belongs behind TLS'),
    hosts: texts(
      'host names in lower case',
      isHostName,
      'names beside localhost and plain addresses under which clients call',
    ),
    origins: texts(
      'origins such as https://explorer.example, or *',
      isOrigin,
      'web pages that may call, beside this node’s own',
    ),
    callsPerSecond: integer(1_000, 1, 1_000_000, 'calls from one address; a batch of n counts n'),
    limitLoopback: flag(false, 'whether callers on this machine are limited too'),
    connectionsMax: integer(1_000, 1, 100_000, 'clients connected at a time'),
  },
  metrics: {
    enabled: flag(true, 'whether GET /metrics is served'),
    listen: endpoint('127.0.0.1:7402', 'where Prometheus reads'),
  },
  log: {
    level: word(LOG_LEVELS, 'info', 'the least that is written'),
  },
  sync: {
    replayedBlocks: integer(
      10_000,
      0,
      1_000_000_000,
      'how many blocks behind the others a node still replays them; further behind it fetches the state at a recent block, where the engine certifies blocks',
    ),
  },
  verification: {
    workers: integerOrAuto(
      0,
      64,
      'threads that verify clients’ signatures; auto: two fewer than processor cores, four at most, and none on two cores',
    ),
  },
  storage: {
    directory: path('data', 'where blocks and state are kept, from the node’s home'),
    stateCacheMb: integer(
      1_024,
      1,
      1_000_000,
      'megabytes (of 1,048,576 bytes) of the state that are kept in memory; the rest is put away to the disk, and read when it is needed',
    ),
  },
  bench: {
    uncheckedSignatures: flag(
      false,
      'for measurements: takes clients’ signatures for good; refused unless the chain id begins with bench- and all addresses are loopback',
    ),
  },
};

type Settings = typeof settings;

/** The settings of a node, checked and complete. */
export type Config = {
  readonly [S in keyof Settings]: { readonly [K in keyof Settings[S]]: ValueOf<Settings[S][K]> };
};

/** Some settings as they are written in the file. */
export type ConfigValues = {
  readonly [S in keyof Settings]?: {
    readonly [K in keyof Settings[S]]?: string | number | boolean | readonly string[];
  };
};

/** Every section with its settings, without the types. */
export const sections: ReadonlyMap<string, ReadonlyMap<string, Setting<unknown>>> = new Map(
  Object.entries(settings).map(([name, section]) => [
    name,
    new Map(Object.entries(section as Record<string, Setting<unknown>>)),
  ]),
);

/** `rpc.callsPerSecond` → `QUORATE_RPC_CALLS_PER_SECOND`. */
export function environmentName(section: string, key: string): string {
  return `QUORATE_${section}_${key.replace(/[A-Z]/g, capital => `_${capital}`)}`.toUpperCase();
}
