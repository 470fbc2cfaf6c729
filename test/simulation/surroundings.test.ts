/** The same seeds come to the same wherever a process runs: under another time zone, in another language. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { engineNames } from './campaign.ts';
import type { Printed, Surroundings } from './print-digests.ts';

const PROGRAM = join(import.meta.dirname, 'print-digests.ts');

const PLACES = {
  nowhere: { TZ: 'UTC', LANG: 'C', LC_ALL: 'C' },
  kiritimati: { TZ: 'Pacific/Kiritimati', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8' },
  newfoundland: { TZ: 'America/St_Johns', LANG: 'sv_SE.UTF-8', LC_ALL: 'sv_SE.UTF-8' },
} as const;

async function runIn(place: Readonly<Record<string, string>>): Promise<Printed> {
  const env = { ...process.env, ...place };
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM], { env });
  return JSON.parse(stdout) as Printed;
}

describe('a seed under another time zone and locale', () => {
  let nowhere: Printed;
  let kiritimati: Printed;
  let newfoundland: Printed;

  beforeAll(async () => {
    nowhere = await runIn(PLACES.nowhere);
    kiritimati = await runIn(PLACES.kiritimati);
    newfoundland = await runIn(PLACES.newfoundland);
  });

  it('is run where careless code would notice', () => {
    expect(nowhere.surroundings).toMatchObject({ timeZone: 'UTC', locale: 'en-US', number: '1,234.5', order: 'aöz' });
    expect(kiritimati.surroundings).toMatchObject({ timeZone: 'Pacific/Kiritimati', locale: 'tr-TR' });
    expect(newfoundland.surroundings).toMatchObject({ timeZone: 'America/St_Johns', locale: 'sv-SE', order: 'azö' });
    const seen = (of: keyof Surroundings) =>
      new Set([nowhere, kiritimati, newfoundland].map(({ surroundings }) => surroundings[of])).size;
    expect([seen('clock'), seen('number'), seen('order')]).toEqual([3, 3, 2]);
  });

  it.each(engineNames)('is the same history: %s', engine => {
    const digests = nowhere.digests[engine]!;
    expect(digests.length).toBeGreaterThan(0);
    for (const each of digests) expect(each).toMatch(/^[0-9a-f]{64}$/);
    expect(kiritimati.digests[engine]).toEqual(digests);
    expect(newfoundland.digests[engine]).toEqual(digests);
  });
});
