/**
 * The keys of a node and of a validator at rest: one line, `ed25519:` and the 64 hex digits of the seed, in a file that
 * its owner alone may read. In clear, so that a node starts without a person; whoever can read the file is the node.
 */
import {
  closeSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { SecretKey } from '../ledger/crypto/port.ts';
import { type Bytes, fromHex, toHex } from '../ledger/types/bytes.ts';
import { FaultError } from '../ledger/types/errors.ts';
import { randomBytes } from './entropy.ts';

const PREFIX = 'ed25519:';
const TEXT_LENGTH = PREFIX.length + 64 + 1;
const OWNER_ONLY = 0o600;
/** Any right of the group or of others. */
const FOREIGN_RIGHTS = 0o077;
/** Windows keeps rights in lists that these bits do not show. */
const HAS_MODES = process.platform !== 'win32';

/** Writes a new key with mode 0600. Throws KEY_FILE_EXISTS rather than overwrite one, KEY_FILE_UNWRITABLE. */
export function createKey(path: string, secret: Bytes = randomBytes(32)): SecretKey {
  const descriptor = attempt(path, 'KEY_FILE_UNWRITABLE', () => {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    return openSync(path, 'wx', OWNER_ONLY);
  });
  try {
    // The process's umask may have taken a right from the owner, too.
    fchmodSync(descriptor, OWNER_ONLY);
    writeFileSync(descriptor, `${PREFIX}${toHex(secret)}\n`);
    fsyncSync(descriptor);
  } catch (error) {
    // Half a key would be in the way of the next attempt.
    rmSync(path, { force: true });
    throw unusable(path, 'KEY_FILE_UNWRITABLE', error);
  } finally {
    closeSync(descriptor);
  }
  return { type: 'ed25519', secret };
}

/** Throws KEY_FILE_MISSING, KEY_FILE_UNREADABLE, KEY_FILE_PERMISSIONS, KEY_FILE_DAMAGED. */
export function loadKey(path: string): SecretKey {
  const descriptor = attempt(path, 'KEY_FILE_UNREADABLE', () => openSync(path, 'r'));
  try {
    // Rights and contents of the same open file: nobody can swap it in between.
    const rights = fstatSync(descriptor).mode & 0o777;
    if (HAS_MODES && (rights & FOREIGN_RIGHTS) !== 0) throw permissions(path, rights);
    return parse(
      path,
      attempt(path, 'KEY_FILE_UNREADABLE', () => readText(descriptor)),
    );
  } finally {
    closeSync(descriptor);
  }
}

function readText(descriptor: number): string {
  const buffer = Buffer.alloc(TEXT_LENGTH + 1);
  return buffer.toString('latin1', 0, readSync(descriptor, buffer, 0, buffer.length, 0));
}

function parse(path: string, text: string): SecretKey {
  const secret = text.startsWith(PREFIX) ? fromHex(text.slice(PREFIX.length).replace(/\r?\n$/, '')) : null;
  if (secret?.length === 32) return { type: 'ed25519', secret };
  throw new FaultError({
    code: 'KEY_FILE_DAMAGED',
    message: `${path} holds no key`,
    hint: `it must be one line, ${PREFIX} and 64 lower-case hex digits: restore it from a backup`,
    data: { path },
  });
}

function permissions(path: string, rights: number): FaultError {
  return new FaultError({
    code: 'KEY_FILE_PERMISSIONS',
    message: `${path} can be read or written by others (mode ${rights.toString(8).padStart(4, '0')})`,
    hint: `run: chmod 600 '${path.replaceAll("'", "'\\''")}'`,
    data: { path, mode: rights },
  });
}

/** Runs `action` and turns what the file system says into a fault that names the file. */
function attempt<T>(path: string, code: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code;
    if (reason === 'EEXIST')
      throw new FaultError({
        code: 'KEY_FILE_EXISTS',
        message: `${path} is there already`,
        hint: 'a key is never overwritten: move the file away if it is no longer wanted',
        data: { path },
      });
    if (reason === 'ENOENT')
      throw new FaultError({
        code: 'KEY_FILE_MISSING',
        message: `there is no key at ${path}`,
        hint: 'check the home directory, or restore the file from a backup',
        data: { path },
      });
    throw unusable(path, code, error);
  }
}

function unusable(path: string, code: string, error: unknown): FaultError {
  return new FaultError({
    code,
    message: `${path}: ${(error as Error).message}`,
    hint: 'check who owns the file and its directory, and the space left',
    data: { path },
  });
}
