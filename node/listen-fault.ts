import type { Fault } from '../ledger/types/errors.ts';
import { environmentName } from './settings.ts';

const LISTEN_FAULTS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'PORT_IN_USE',
  EACCES: 'PORT_NOT_PERMITTED',
  EADDRNOTAVAIL: 'ADDRESS_NOT_HERE',
  ENOTFOUND: 'ADDRESS_NOT_HERE',
};

const LISTEN_MESSAGES: Readonly<Record<string, string>> = {
  PORT_IN_USE: 'is in use by another process',
  PORT_NOT_PERMITTED: 'may not be opened by this user',
  ADDRESS_NOT_HERE: 'is no address of this machine',
};

/** Why `section.listen` could not be opened, naming the key to change; null for an error of another kind. */
export function listenFault(error: unknown, section: 'network' | 'rpc' | 'metrics', endpoint: string): Fault | null {
  const code = LISTEN_FAULTS[(error as NodeJS.ErrnoException | null)?.code ?? ''];
  if (code === undefined) return null;
  return {
    code,
    message: `${endpoint} ${LISTEN_MESSAGES[code]}`,
    hint: `change ${section}.listen in config.toml, or set ${environmentName(section, 'listen')}`,
    data: { key: `${section}.listen`, endpoint },
  };
}
