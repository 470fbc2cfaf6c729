import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The version of this package, from its package.json: the one place that has it. */
export const VERSION: string = (
  JSON.parse(readFileSync(join(import.meta.dirname, '..', 'package.json'), 'utf8')) as { version: string }
).version;
