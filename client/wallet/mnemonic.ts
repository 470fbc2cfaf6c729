/** BIP-39 words: what a person writes down, and the only backup of a wallet. */
import { entropyToMnemonic, mnemonicToSeed, validateMnemonic } from '@scure/bip39';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { err, type Fault, ok, type Result } from '../../ledger/types/errors.ts';
import { nearest } from '../../ledger/types/nearest.ts';
import type { Entropy } from '../entropy.ts';

/** 256 bits make 24 words. */
const ENTROPY_BYTES = 32;
const WORD_COUNTS: readonly number[] = [12, 15, 18, 21, 24];
const KNOWN = new Set(wordlist);

export function generateMnemonic(entropy: Entropy): string {
  return entropyToMnemonic(entropy(ENTROPY_BYTES), wordlist);
}

/**
 * The words of `text` as BIP-39 writes them, whatever the case and the white space between them. Refuses, in this order:
 * MNEMONIC_LENGTH, MNEMONIC_WORD (data: the position, counted from 1; the word itself is shown, for it is none of the
 * list), MNEMONIC_CHECKSUM.
 */
export function parseMnemonic(text: string): Result<string, Fault> {
  const words = text.normalize('NFKD').toLowerCase().split(/\s+/).filter(Boolean);
  if (!WORD_COUNTS.includes(words.length))
    return err({
      code: 'MNEMONIC_LENGTH',
      message: `a mnemonic has 12, 15, 18, 21 or 24 words, not ${words.length}`,
      hint: 'enter every word, in the order in which they were written down',
      data: { words: words.length },
    });
  const wrong = words.findIndex(word => !KNOWN.has(word));
  if (wrong >= 0) return err(unknownWord(words[wrong]!, wrong + 1));
  const mnemonic = words.join(' ');
  if (validateMnemonic(mnemonic, wordlist)) return ok(mnemonic);
  return err({
    code: 'MNEMONIC_CHECKSUM',
    message: 'every word is of the list, but together they are no mnemonic',
    hint: 'check their order, and each word against what was written down: one of them is another word of the list',
  });
}

function unknownWord(word: string, position: number): Fault {
  const shown = word.slice(0, 20);
  const meant = nearest(word, wordlist);
  return {
    code: 'MNEMONIC_WORD',
    message: `word ${position}, "${shown}", is not in the list of BIP-39`,
    hint: meant === null ? 'the words are English, of three to eight letters' : `did you mean "${meant}"?`,
    data: { position, word: shown, nearest: meant },
  };
}

/** The 64 bytes that keys are derived from, of words that {@link parseMnemonic} accepted. */
export function mnemonicSeed(mnemonic: string, passphrase = ''): Promise<Uint8Array> {
  return mnemonicToSeed(mnemonic, passphrase);
}
