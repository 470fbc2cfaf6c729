/** The node's log: one JSON object a line. What peers and clients sent stands in values, where a newline is escaped. */
import { type DestinationStream, pino } from 'pino';

/** Left out wherever they stand, at the top of a line's data or one level below: a log is copied to places that keys must not reach. */
const SECRETS = ['secret', 'secretKey', 'seed', 'passphrase', 'password', 'mnemonic'];

export interface Log {
  debug(data: Readonly<Record<string, unknown>>, message: string): void;
  info(data: Readonly<Record<string, unknown>>, message: string): void;
  warn(data: Readonly<Record<string, unknown>>, message: string): void;
  error(data: Readonly<Record<string, unknown>>, message: string): void;
}

export interface LogOptions {
  readonly level: string;
  /** Where the lines go; standard output when absent. */
  readonly destination?: DestinationStream;
}

export function createLog({ level, destination }: LogOptions): Log {
  const options = {
    level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: SECRETS.flatMap(name => [name, `*.${name}`]), remove: true },
    serializers: { error: pino.stdSerializers.err },
  };
  return destination ? pino(options, destination) : pino(options);
}
