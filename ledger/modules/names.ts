import { type Codec, text } from '../types/codec.ts';

export const NAME_BYTES_MAX = 100;

/** Control characters would let a name forge lines of a log or a terminal. */
const isPrintable = (value: string): boolean => {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code < 0x20 || (code >= 0x7f && code <= 0x9f) || code === 0x2028 || code === 0x2029) return false;
  }
  return true;
};

/** A name for people: 1 to 100 bytes of UTF-8 without control characters and without a space at either end. */
export const isName = (value: string): boolean =>
  value !== '' && !value.startsWith(' ') && !value.endsWith(' ') && isPrintable(value);

export const name: Codec<string> = text(NAME_BYTES_MAX, isName);
