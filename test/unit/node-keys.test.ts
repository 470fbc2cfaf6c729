import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { toHex } from '../../ledger/types/bytes.ts';
import { FaultError } from '../../ledger/types/errors.ts';
import { createKey, loadKey } from '../../node/keys.ts';

const folder = mkdtempSync(join(tmpdir(), 'quorate-keys-'));
afterAll(() => rmSync(folder, { recursive: true }));

let count = 0;
const fresh = (): string => join(folder, `${count++}.key`);

function fault(action: () => unknown): FaultError {
  try {
    action();
  } catch (error) {
    if (error instanceof FaultError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

function written(text: string, mode = 0o600): string {
  const path = fresh();
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

const LINE = `ed25519:${'1f'.repeat(32)}`;

describe('a node key', () => {
  test('is created once, for its owner alone, and read back', () => {
    const path = join(folder, 'keys', 'node.key');
    const key = createKey(path);
    expect(statSync(join(folder, 'keys')).mode & 0o777).toBe(0o700);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, 'utf8')).toBe(`ed25519:${toHex(key.secret)}\n`);
    expect(loadKey(path)).toEqual(key);
  });

  test('has its mode whatever the umask', () => {
    const path = fresh();
    const previous = process.umask(0o277);
    createKey(path);
    process.umask(previous);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('is another one each time', () => {
    expect(createKey(fresh())).not.toEqual(createKey(fresh()));
  });

  test('is never overwritten', () => {
    const path = written(LINE);
    expect(fault(() => createKey(path)).code).toBe('KEY_FILE_EXISTS');
    expect(readFileSync(path, 'utf8')).toBe(LINE);
  });

  test('cannot be made where a file stands in the way of the folder', () => {
    expect(fault(() => createKey(join(written(''), 'node.key'))).code).toMatch(/^KEY_FILE_(UNWRITABLE|EXISTS)$/);
  });

  test.each([LINE, `${LINE}\n`, `${LINE}\r\n`])('is read from %j', text => {
    expect(toHex(loadKey(written(text)).secret)).toBe('1f'.repeat(32));
  });

  test.each([
    '',
    '\n',
    '1f'.repeat(32),
    `${LINE}1`,
    LINE.slice(0, -1),
    LINE.toUpperCase(),
    `${LINE}\n\n`,
    ` ${LINE}`,
    `${LINE}\n${LINE}`,
    `p256:${'1f'.repeat(32)}`,
  ])('is not read from %j', text => {
    expect(fault(() => loadKey(written(text))).code).toBe('KEY_FILE_DAMAGED');
  });

  test.each([0o640, 0o604, 0o620, 0o660, 0o644, 0o666, 0o777])(
    'is refused with mode %o, and the remedy named',
    mode => {
      const path = written(LINE, mode);
      const { code, hint } = fault(() => loadKey(path));
      expect(code).toBe('KEY_FILE_PERMISSIONS');
      expect(hint).toBe(`run: chmod 600 '${path}'`);
      chmodSync(path, 0o600);
      expect(loadKey(path).type).toBe('ed25519');
    },
  );

  test('is accepted when not even its owner may write it', () => {
    expect(loadKey(written(LINE, 0o400)).type).toBe('ed25519');
  });

  test('that is missing or a folder is told apart from a damaged one', () => {
    expect(fault(() => loadKey(fresh())).code).toBe('KEY_FILE_MISSING');
    const path = fresh();
    mkdirSync(path, { mode: 0o700 });
    expect(fault(() => loadKey(path)).code).toBe('KEY_FILE_UNREADABLE');
  });
});
