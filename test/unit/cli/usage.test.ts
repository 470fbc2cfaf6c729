import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { faultLine, faultOf } from '../../../cli/fault.ts';
import { commandLine } from '../../../cli/main.ts';
import { FaultError } from '../../../ledger/types/errors.ts';
import { quorate, spawned, temporary } from './run.ts';

const home = temporary();
const ID = 'ab'.repeat(32);

describe('a wrong command line ends with exit code 2, one line on stderr and nothing on stdout', () => {
  const cases: readonly [string, readonly string[], RegExp][] = [
    ['no command', [], /needs a command; one of network, /],
    ['an unknown command', ['netwrok'], /no command "netwrok"; did you mean network\?/],
    ['an unknown command of a group', ['wallet', 'creat'], /no command "creat"; did you mean create\?/],
    ['a group alone', ['tx'], /quorate tx needs a command/],
    ['an unknown option', ['network', 'create', '--out', 'x', '--validatrs', '4'], /did you mean --validators\?/],
    ['a missing option', ['network', 'create'], /--out/],
    ['a missing argument', ['wallet', 'show'], /missing required argument 'name'/],
    ['an argument too many', ['wallet', 'list', 'x'], /too many arguments/],
    ['a value out of range', ['network', 'create', '--out', 'x', '--validators', '0'], /from 1 to 100/],
    ['an unknown choice', ['network', 'create', '--out', 'x', '--engine', 'pow2'], /pow2/],
    [
      'a parameter that is none',
      ['network', 'create', '--out', 'x', '--params', 'driftms=1'],
      /did you mean driftMs\?/,
    ],
    ['another engine’s parameter', ['network', 'create', '--out', 'x', '--params', 'finalityDepth=6'], /no parameter/],
    [
      'a parameter without a number',
      ['network', 'create', '--out', 'x', '--params', 'driftMs'],
      /such as viewTimeoutMs=1/,
    ],
    ['a URL that is none', ['node', 'status', '--rpc', 'localhost'], /is no URL; write it like/],
    ['a URL of another kind', ['node', 'status', '--rpc', 'ftp://localhost'], /is no URL/],
    ['an id that is none', ['tx', 'get', 'xyz'], /is no id; an id is 64/],
    ['a length of time that is none', ['tx', 'wait', ID, '--timeout', '5 minutes'], /is no length of time/],
    ['a wallet name with a path in it', ['wallet', 'show', '../../etc/passwd'], /is no name of a wallet/],
    ['a height that is none', ['block', 'get', '-7x'], /unknown option|neither a height nor an id/],
  ];
  it.each(cases)('%s', async (_what, args, says) => {
    const { code, stdout, stderr } = await quorate(args, { env: { QUORATE_HOME: home } });
    expect(stderr).toMatch(/^error: USAGE: .+; .+\n$/);
    expect(stderr).toMatch(says);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  it('is said the same way with --json, and by the program itself', async () => {
    const { code, stdout, stderr } = await spawned(['supply', 'inventory', '--json']);
    expect(stderr).toMatch(/^error: USAGE: give either --member or --container; /);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });
});

describe('help', () => {
  const leaves = (command: Command, path: readonly string[] = []): { name: string; command: Command }[] =>
    command.commands.length === 0
      ? [{ name: path.join(' '), command }]
      : command.commands.flatMap(each => leaves(each, [...path, each.name()]));
  const commands = leaves(commandLine());

  it.each([
    ...[
      'network create',
      'network up',
      'network down',
      'network status',
      'node create',
      'node start',
      'node status',
      'node verify',
    ],
    ...[
      'wallet create',
      'wallet import',
      'wallet list',
      'wallet show',
      'wallet export',
      'wallet sign',
      'wallet verify',
    ],
    ...['wallet balance', 'wallet send', 'tx submit', 'tx get', 'tx wait', 'tx proof', 'verify', 'block get'],
    ...['validators list', 'validators propose add', 'validators vote', 'members list', 'members add'],
    ...['supply capture', 'supply item', 'supply trace', 'supply recall', 'supply inventory', 'supply inbound'],
  ])('knows %s', name => {
    expect(commands.map(each => each.name)).toContain(name);
  });

  it.each(commands)('of $name shows an example of it, and the options of every command', ({ name, command }) => {
    const parts: string[] = [];
    command.configureOutput({ writeOut: part => void parts.push(part) }).outputHelp();
    const text = parts.join('');
    expect(text).toContain(`\nExample:\n  quorate ${name}`);
    for (const option of ['--json', '--rpc', '--home']) expect(text).toContain(option);
  });

  it('goes to stdout and ends with exit code 0', async () => {
    const { code, stdout, stderr } = await spawned(['wallet', 'send', '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('Usage: quorate wallet send [options] <name>');
  });
});

describe('a fault', () => {
  it('that keeps the command from working ends with exit code 1', async () => {
    const { code, stdout, stderr } = await spawned(['node', 'status', '--rpc', 'http://127.0.0.1:9', '--json']);
    expect(stderr).toMatch(/^error: UNREACHABLE: nothing answers at http:\/\/127\.0\.0\.1:9\/: .+; check .+\n$/);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  }, 20_000);

  it.each<[string, unknown, RegExp]>([
    [
      'of ours',
      new FaultError({ code: 'NO', message: 'it is not so', hint: 'do it' }),
      /^error: NO: it is not so; do it$/,
    ],
    [
      'of many lines',
      new FaultError({ code: 'NO', message: 'one\n  two\r\nthree', hint: '' }),
      /^error: NO: one two three$/,
    ],
    [
      'of the file system',
      Object.assign(new Error('ENOENT: no such file, open x'), { code: 'ENOENT', path: 'x' }),
      /^error: ENOENT: no such file, open x; check x/,
    ],
    [
      'that nobody expected',
      new TypeError('x is not a function\n at y'),
      /^error: INTERNAL_ERROR: a fault of this program: x is not a function at y; please report/,
    ],
    ['that is no error at all', 'boom', /^error: INTERNAL_ERROR: .*boom/],
  ])('%s is one line', (_what, error, line) => {
    expect(faultLine(faultOf(error))).toMatch(line);
  });
});

describe('an older Node', () => {
  it('is told what to do, in one line', async () => {
    const old = "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.19.0' } })";
    const { code, stderr, stdout } = await spawned(['wallet', 'list'], {
      node: ['--import', `data:text/javascript,${encodeURIComponent(old)}`],
    });
    expect(stderr).toMatch(/^error: NODE_TOO_OLD: this is Node 18\.19\.0, and quorate needs Node 24 or newer; .+\n$/);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  });
});
