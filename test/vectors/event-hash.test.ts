import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { splitDocument } from '../../ledger/modules/supply/epcis/document.ts';
import { readEvent } from '../../ledger/modules/supply/epcis/event.ts';
import { hashUri } from '../../ledger/modules/supply/epcis/event-hash.ts';
import { SHARED, sharedPresent, sharedTitle } from '../shared.ts';

const FOLDER = join(SHARED, 'epcis/event-hash');
const lines = (path: string) =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter(line => line !== '');

describe.runIf(sharedPresent)(sharedTitle('published event hashes (CBV 2.0)'), () => {
  const names = sharedPresent
    ? readdirSync(FOLDER)
        .filter(name => name.endsWith('.jsonld'))
        .map(name => name.slice(0, -'.jsonld'.length))
    : [];

  it('are all here', () => expect(names.length).toBe(8));

  it.each(names)('%s', name => {
    const document = splitDocument(readFileSync(join(FOLDER, `${name}.jsonld`)));
    if (!document.ok) throw new Error(`${document.error.code} ${document.error.concerns}`);
    const events = document.value.events.map(({ json, ignoreFields }) => {
      const event = readEvent(json, ignoreFields, 256 * 1024);
      if (!event.ok) throw new Error(`${event.error.code} ${event.error.concerns}`);
      return event.value;
    });
    expect(events.map(event => event.prehash)).toEqual(lines(join(FOLDER, `${name}.prehashes`)));
    expect(events.map(event => hashUri(event.hash))).toEqual(lines(join(FOLDER, `${name}.hashes`)));
  });
});
