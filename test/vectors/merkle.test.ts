import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { verifyInclusion } from '../../ledger/crypto/merkle.ts';
import { toHex } from '../../ledger/types/bytes.ts';
import type { Hash } from '../../ledger/types/ids.ts';
import { SHARED, sharedPresent, sharedTitle } from '../shared.ts';

interface Probe {
  readonly leafIdx: number;
  readonly treeSize: number;
  readonly root: string | null;
  readonly leafHash: string | null;
  readonly proof: readonly string[] | null;
  readonly desc: string;
  readonly wantErr: boolean;
}

const hashOf = (base64: string | null): Hash => toHex(Buffer.from(base64 ?? '', 'base64')) as Hash;

describe.skipIf(!sharedPresent)(sharedTitle('inclusion proofs of transparency-dev/merkle'), () => {
  const folder = join(SHARED, 'vectors/rfc6962-merkle/inclusion');
  const files = sharedPresent
    ? readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.json'))
    : [];

  test.each(files.toSorted())('%s', name => {
    const probe = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Probe;
    const verdict = verifyInclusion(hashOf(probe.root), hashOf(probe.leafHash), {
      index: probe.leafIdx,
      size: probe.treeSize,
      path: (probe.proof ?? []).map(hashOf),
    });
    expect(verdict, probe.desc).toBe(!probe.wantErr);
  });

  test('all of them were read', () => {
    expect(files).toHaveLength(98);
  });
});
