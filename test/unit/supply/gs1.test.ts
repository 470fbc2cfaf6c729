import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { reading } from '../../../ledger/modules/supply/epcis/failure.ts';
import { canonicalUri, lotOf, readId } from '../../../ledger/modules/supply/epcis/gs1.ts';
import { checkDigit } from '../../../ledger/modules/supply/epcis/gs1-keys.ts';
import { segment, thingOfPath, thingPath, uriOfSegment } from '../../../ledger/modules/supply/keys.ts';

const read = (text: string) => reading(() => readId(text, 'epc'));
const id = (text: string) => {
  const result = read(text);
  if (!result.ok) throw new Error(`${result.error.code} ${result.error.concerns}`);
  return result.value;
};
const refusal = (text: string): string => {
  const result = read(text);
  return result.ok ? result.value.uri : result.error.code;
};

describe('ids', () => {
  it.each([
    ['the URN', 'urn:epc:id:sgtin:4012345.011111.9876'],
    ['the canonical link', 'https://id.gs1.org/01/04012345111118/21/9876'],
    ['plain http', 'http://id.gs1.org/01/04012345111118/21/9876'],
    ['a domain of its own', 'https://brand.example.com/01/04012345111118/21/9876'],
    ['a stem', 'https://brand.example.com/products/en/01/04012345111118/21/9876'],
    ['a query and a fragment', 'https://id.gs1.org/01/04012345111118/21/9876?17=261231&x=y#top'],
    ['a slash at the end', 'https://id.gs1.org/01/04012345111118/21/9876/'],
    ['a lot', 'https://id.gs1.org/01/04012345111118/10/L1/21/9876'],
    ['a consumer product variant', 'https://id.gs1.org/01/04012345111118/22/2A/21/9876'],
    ['a GTIN of 13 digits', 'https://id.gs1.org/01/4012345111118/21/9876'],
    ['older short names', 'https://id.gs1.org/gtin/04012345111118/ser/9876'],
    ['needless escapes', 'https://id.gs1.org/01/04012345111118/21/%39876'],
    ['another dot', 'urn:epc:id:sgtin:401234501.1111.9876'.replace('401234501.1111', '40123451.01111')],
  ])('are one item however they are spelled: %s', (_, text) =>
    expect(canonicalUri(text)).toBe('https://id.gs1.org/01/04012345111118/21/9876'),
  );

  it.each([
    ['urn:epc:id:sscc:4012345.0111111111', '0123451111111'],
    ['https://id.gs1.org/01/04012345111118/21/1', '4012345111118'],
    ['urn:epc:id:itip:4012345.012345.01.02.999', '4012345123456'],
    ['urn:epc:id:grai:4012345.66666.87', '4012345666663'],
    ['urn:epc:id:giai:4012345.12AB', '401234512'],
    ['urn:epc:id:gdti:4012345.55555.98', '4012345555554'],
    ['urn:epc:id:gsrn:4012345.9876540000', '401234598765400000'],
    ['urn:epc:id:cpi:4012345.ABC.123', '4012345'],
    ['urn:epc:id:sgln:4012345.00011.987', '4012345000115'],
    ['urn:epc:id:pgln:4012345.00011', '4012345000115'],
    ['urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8', null],
  ])('are owned by the digits of their key: %s', (text, digits) => {
    const found = id(text).digits;
    expect(found).toBe(text.includes('sscc') ? '40123451111111110'.slice(0, 17) : digits);
  });

  it.each([
    ['urn:epc:class:lgtin:4012345.012345.998877', 'lot', 'https://id.gs1.org/01/04012345123456/10/998877'],
    ['urn:epc:idpat:sgtin:4012345.066666.*', 'class', 'https://id.gs1.org/01/04012345666663'],
    ['https://id.gs1.org/01/04012345666663', 'class', 'https://id.gs1.org/01/04012345666663'],
    ['https://id.gs1.org/8003/04012345666663', 'class', 'https://id.gs1.org/8003/04012345666663'],
    ['https://id.gs1.org/8003/0401234566666387', 'instance', 'https://id.gs1.org/8003/0401234566666387'],
    ['https://id.gs1.org/8010/4012345ABC', 'class', 'https://id.gs1.org/8010/4012345ABC'],
    ['https://id.gs1.org/8006/040123451234560102/10/L', 'lot', 'https://id.gs1.org/8006/040123451234560102/10/L'],
    ['geo:47.506694,11.104301', 'instance', 'geo:47.506694,11.104301'],
    ['urn:epc:id:usdod:CAGEY.5678', 'instance', 'urn:epc:id:usdod:CAGEY.5678'],
    ['http://transaction.acme.com/po/12345678', 'instance', 'http://transaction.acme.com/po/12345678'],
  ])('know what they name: %s', (text, level, uri) => expect(id(text)).toMatchObject({ level, uri }));

  it.each([
    ['https://id.gs1.org/01/04012345111119/21/1', 'BAD_CHECK_DIGIT'],
    ['https://brand.example.com/00/040123451111111111', 'BAD_CHECK_DIGIT'],
    ['https://id.gs1.org/8003/04012345666664AB', 'BAD_CHECK_DIGIT'],
    ['https://id.gs1.org/01/04012345111118/99/1', 'BAD_ID'],
    ['https://id.gs1.org/01/0401234511111/21/', 'BAD_ID'],
    ['https://id.gs1.org/01/04012345111118/21/a/21/b', 'BAD_ID'],
    ['https://id.gs1.org/01/04012345111118/21/%zz', 'BAD_ID'],
    ['https://id.gs1.org/01/04012345111118/21/%00', 'BAD_ID'],
    [`https://id.gs1.org/01/04012345111118/21/${'x'.repeat(21)}`, 'BAD_ID'],
    ['urn:epc:id:sgtin:4012345.01111.1', 'BAD_ID'],
    ['urn:epc:id:sgtin:4012345.011111', 'BAD_ID'],
    ['urn:epc:id:sgtin:abcdefg.011111.1', 'BAD_ID'],
    ['urn:epc:id:nothing:1.2.3', 'BAD_ID'],
    ['urn:epc:idpat:sgtin:4012345.066666.1', 'BAD_ID'],
    ['no uri', 'BAD_ID'],
    ['urn:x:é', 'BAD_ID'],
    [`urn:x:${'y'.repeat(300)}`, 'BAD_ID'],
  ])('are refused: %s', (text, code) => expect(refusal(text)).toBe(code));

  it('keep the lot that a link names beside the serial', () => {
    expect(id('https://id.gs1.org/01/04012345111118/10/L%2F1/21/9').lot).toBe(
      'https://id.gs1.org/01/04012345111118/10/L%2F1',
    );
    expect(lotOf(id('urn:epc:id:sgtin:4012345.011111.9'), 'L/1')).toBe('https://id.gs1.org/01/04012345111118/10/L%2F1');
    expect(lotOf(id('urn:epc:id:sscc:4012345.0111111111'), 'L')).toBeNull();
  });

  it('have one canonical form, which is its own', () => {
    const serial = fc.stringMatching(/^[!"%&'()*+,\-./0-9:;<=>?A-Z_a-z]{1,20}$/);
    fc.assert(
      fc.property(fc.stringMatching(/^\d{13}$/), serial, (digits, text) => {
        const link = `https://x.example/01/${digits}${checkDigit(digits)}/21/${encodeURIComponent(text)}`;
        const canonical = id(link).uri;
        expect(id(canonical)).toEqual(id(link));
        expect(uriOfSegment(segment(canonical))).toBe(canonical);
        expect(segment(canonical)).not.toContain('/');
      }),
    );
  });

  it('stand in state keys without loss', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z][a-z0-9]{0,8}:[!-~]{1,40}$/), fc.constantFrom('', 'KGM'), (uri, unit) => {
        expect(uriOfSegment(segment(uri))).toBe(uri);
        for (const thing of [{ type: 'item', uri } as const, { type: 'lot', uri, unit } as const]) {
          expect(thingOfPath(thingPath(thing))).toEqual(thing);
        }
      }),
    );
  });

  it('are read without a throw, whatever they are', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.webUrl({ withQueryParameters: true })), text => void read(text)));
  });
});
