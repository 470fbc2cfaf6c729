/**
 * A strict JSON reader (RFC 8259) for the one place where the ledger must read JSON. Stricter than the RFC where it leaves a
 * choice, so that one text has one meaning: no duplicate names, no lone surrogates, bounded depth, and numbers kept as
 * the decimal text that was written. Objects are maps, so that no name can reach a prototype.
 */
import { type Bytes, fromUtf8 } from './bytes.ts';
import { err, ok, type Result } from './errors.ts';

/** A number as it was written, such as `12.50` or `1e3`. */
export interface JsonNumber {
  readonly decimal: string;
}

export type JsonObject = ReadonlyMap<string, Json>;
export type JsonArray = readonly Json[];
export type Json = null | boolean | string | JsonNumber | JsonArray | JsonObject;

/** Why a text was refused, and at which UTF-16 offset. */
export interface JsonError {
  readonly code: 'BAD_JSON';
  readonly reason: string;
  readonly offset: number;
}

export const JSON_DEPTH_MAX = 32;
/** Longer numbers measure nothing; unbounded ones would cost unbounded arithmetic. */
const NUMBER_LENGTH_MAX = 64;

export const isJsonObject = (value: Json | undefined): value is JsonObject => value instanceof Map;
export const isJsonArray = (value: Json | undefined): value is JsonArray => Array.isArray(value);
export const isJsonNumber = (value: Json | undefined): value is JsonNumber =>
  typeof value === 'object' && value !== null && 'decimal' in value;

/** Thrown inside the parser and caught by {@link parseJson}; nothing else may catch it. */
class JsonFailure extends Error {}

const ESCAPES: ReadonlyMap<string, string> = new Map(
  Object.entries({ '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }),
);
const LITERALS: readonly (readonly [string, boolean | null])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
];
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const PLAIN = /[^"\\\p{Cc}]+/uy;
const HEX4 = /[0-9a-fA-F]{4}/y;

class Parser {
  private readonly text: string;
  private readonly depthMax: number;
  offset = 0;

  constructor(text: string, depthMax: number) {
    this.text = text;
    this.depthMax = depthMax;
  }

  fail(reason: string): never {
    throw new JsonFailure(reason);
  }

  document(): Json {
    const value = this.value(0);
    this.space();
    return this.offset < this.text.length ? this.fail('text left over') : value;
  }

  private space(): void {
    while (' \t\n\r'.includes(this.text[this.offset] ?? '-')) this.offset++;
  }

  private match(pattern: RegExp): string | null {
    pattern.lastIndex = this.offset;
    const found = pattern.exec(this.text)?.[0] ?? null;
    if (found !== null) this.offset += found.length;
    return found;
  }

  /** Whether `character` came next, after space; if so it is behind us now. */
  private takes(character: string): boolean {
    this.space();
    if (this.text[this.offset] !== character) return false;
    this.offset++;
    return true;
  }

  private expect(character: string): void {
    if (!this.takes(character)) this.fail(`expected ${character}`);
  }

  private value(depth: number): Json {
    if (depth > this.depthMax) this.fail(`deeper than ${this.depthMax}`);
    if (this.takes('{')) return this.object(depth);
    if (this.takes('[')) return this.array(depth);
    if (this.takes('"')) return this.string();
    for (const [word, value] of LITERALS) {
      if (!this.text.startsWith(word, this.offset)) continue;
      this.offset += word.length;
      return value;
    }
    const decimal = this.match(NUMBER) ?? this.fail('expected a value');
    return decimal.length > NUMBER_LENGTH_MAX ? this.fail('number too long') : { decimal };
  }

  private object(depth: number): JsonObject {
    const members = new Map<string, Json>();
    if (this.takes('}')) return members;
    do {
      this.expect('"');
      const name = this.string();
      if (members.has(name)) this.fail(`name ${name.slice(0, 80)} stands twice`);
      this.expect(':');
      members.set(name, this.value(depth + 1));
    } while (this.takes(','));
    this.expect('}');
    return members;
  }

  private array(depth: number): JsonArray {
    const items: Json[] = [];
    if (this.takes(']')) return items;
    do items.push(this.value(depth + 1));
    while (this.takes(','));
    this.expect(']');
    return items;
  }

  /** The rest of a string after its opening quote. */
  private string(): string {
    let value = '';
    for (;;) {
      value += this.plain();
      const next = this.text[this.offset++];
      if (next === '"') break;
      if (next !== '\\') this.fail('string with a control character or without an end');
      value += this.escape();
    }
    return value.isWellFormed() ? value : this.fail('lone surrogate');
  }

  /** Characters that stand for themselves. DEL and the C1 controls are allowed by the RFC, so they are taken one by one. */
  private plain(): string {
    let value = this.match(PLAIN) ?? '';
    while (/[\x7f-\x9f]/.test(this.text[this.offset] ?? '')) {
      value += this.text[this.offset++];
      value += this.match(PLAIN) ?? '';
    }
    return value;
  }

  private escape(): string {
    const letter = this.text[this.offset++] ?? '';
    if (letter !== 'u') return ESCAPES.get(letter) ?? this.fail('unknown escape');
    return String.fromCharCode(Number.parseInt(this.match(HEX4) ?? this.fail('bad \\u escape'), 16));
  }
}

/** Reads all of `bytes`, at most `bytesMax` of UTF-8, nested at most `depthMax` deep. Never throws on any input. */
export function parseJson(bytes: Bytes, bytesMax: number, depthMax: number = JSON_DEPTH_MAX): Result<Json, JsonError> {
  if (bytes.length > bytesMax) return err({ code: 'BAD_JSON', reason: `longer than ${bytesMax} bytes`, offset: 0 });
  const text = fromUtf8(bytes);
  if (text === null) return err({ code: 'BAD_JSON', reason: 'not UTF-8', offset: 0 });
  const parser = new Parser(text, depthMax);
  try {
    return ok(parser.document());
  } catch (error) {
    if (!(error instanceof JsonFailure)) throw error;
    return err({ code: 'BAD_JSON', reason: error.message, offset: parser.offset });
  }
}

const quoted = (text: string): string =>
  `"${text.replace(/["\\\p{Cc}]/gu, character => {
    const letter = [...ESCAPES].find(([each, stands]) => stands === character && each !== '/')?.[0];
    return `\\${letter ?? `u${character.charCodeAt(0).toString(16).padStart(4, '0')}`}`;
  })}"`;

/** The value as JSON without spaces, names in their order. What is hashed is never this text. */
export function writeJson(value: Json): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return quoted(value);
  if (isJsonArray(value)) return `[${value.map(writeJson).join(',')}]`;
  if (isJsonObject(value)) {
    return `{${[...value].map(([name, member]) => `${quoted(name)}:${writeJson(member)}`).join(',')}}`;
  }
  return value.decimal;
}
