/** What a command says: text for people or one JSON document on stdout, progress and notes on stderr for people alone. */
import { Presets, SingleBar } from 'cli-progress';
import Table from 'cli-table3';

export interface Progress {
  /** How much is done, and of how much where that is known only now. */
  update(value: number, total?: number): void;
  stop(): void;
}

export interface Output {
  /** Whether stdout carries one JSON document. */
  readonly json: boolean;
  /** The answer of a command, once: `value` as JSON, or the text for people. */
  answer(value: unknown, text: () => string): void;
  /** The same with the JSON on one line, for whoever appends the answers of many runs to a file. */
  answerLine(value: unknown, text: () => string): void;
  /** A line for people while a command runs; nothing with --json. */
  note(text: string): void;
  /** A bar on a terminal; nothing elsewhere. */
  progress(what: string, total: number): Progress;
}

const NO_PROGRESS: Progress = { update() {}, stop() {} };

export function outputTo(streams: { stdout: NodeJS.WriteStream; stderr: NodeJS.WriteStream }, json: boolean): Output {
  const { stdout, stderr } = streams;
  return {
    json,
    answer(value, text) {
      stdout.write(`${json ? JSON.stringify(value, null, 2) : text()}\n`);
    },
    answerLine(value, text) {
      stdout.write(`${json ? JSON.stringify(value) : text()}\n`);
    },
    note(text) {
      if (!json) stderr.write(`${text}\n`);
    },
    progress(what, total) {
      if (json || stderr.isTTY !== true || total === 0) return NO_PROGRESS;
      const format = `${what} {bar} {value}/{total}`;
      const bar = new SingleBar(
        { format, stream: stderr, clearOnComplete: true, hideCursor: true },
        Presets.shades_grey,
      );
      bar.start(total, 0);
      return {
        update(value, of) {
          if (of !== undefined) bar.setTotal(of);
          bar.update(value);
        },
        stop: () => bar.stop(),
      };
    },
  };
}

/** A table without frames, columns two spaces apart; one column stays as wide as its longest text. */
export function table(head: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const none = { top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '' };
  const sides = { 'bottom-left': '', 'bottom-right': '', left: '', 'left-mid': '', right: '', 'right-mid': '' };
  const grid = new Table({
    head: [...head],
    chars: { ...none, ...sides, mid: '', 'mid-mid': '', middle: '  ' },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  });
  for (const row of rows) grid.push(row.map(cell => printable(String(cell))));
  return grid
    .toString()
    .split('\n')
    .map(line => line.trimEnd())
    .join('\n');
}

/** Names and values, one pair on a line, the values below one another. */
export function block(pairs: readonly (readonly [name: string, value: unknown])[]): string {
  const width = Math.max(...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${name.padEnd(width)}  ${printable(String(value))}`).join('\n');
}

/** Text from elsewhere without what could move a terminal's cursor or forge a line. */
export const printable = (text: string): string =>
  text.replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, '�');
