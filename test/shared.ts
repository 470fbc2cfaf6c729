import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** The folder of published test vectors beside the checkout; null where it is absent, as in a user's own clone. */
export const SHARED = join(import.meta.dirname, '../../shared');
export const sharedPresent = existsSync(join(SHARED, 'vectors'));

/** Why a suite on the published vectors did not run, to be shown in its title. */
export const sharedTitle = (title: string): string =>
  sharedPresent ? title : `${title} (skipped: the published vectors are not beside this checkout)`;
