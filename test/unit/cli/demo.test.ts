import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ORGANISATIONS } from '../../../cli/demo/cast.ts';
import { CHAPTERS, MISTAKE } from '../../../cli/demo/chapters.ts';
import { mark, refuseForeign, removeEarlier } from '../../../cli/demo/directory.ts';
import { amountText, thingOf } from '../../../cli/demo/thing.ts';
import { refuseTaken } from '../../../cli/network/ports.ts';
import { ledger, split } from '../supply/harness.ts';
import { spawned, temporary } from './run.ts';

const root = temporary();

describe('the story', () => {
  const prefixes = Object.fromEntries(ORGANISATIONS.map(({ id, gs1Prefix }) => [id, [gs1Prefix]]));
  const eventsOf = (file: string) => split(readFileSync(new URL(`../../../cli/demo/events/${file}`, import.meta.url)));

  it('is accepted event by event, without a notice and without an alert, and ends with the one that is refused', () => {
    const on = ledger(prefixes);
    for (const { file, member } of CHAPTERS) {
      const { events, notices } = eventsOf(file);
      expect(notices, file).toEqual([]);
      for (const [i, { json, ignoreFields }] of events.entries()) {
        const result = on.capture(member, json, { ignoreFields });
        expect(result, `${file}, event ${i + 1}`).toMatchObject({ ok: true });
        expect(result.emitted.filter(each => each.kind === 'supply.alert')).toEqual([]);
      }
    }
    const { events } = eventsOf(MISTAKE.file);
    expect(events).toHaveLength(1);
    expect(on.capture(MISTAKE.member, events[0]!.json)).toMatchObject({
      code: 'NOT_HOLDER',
      concerns: 'https://id.gs1.org/00/095210030000000046',
    });
  });

  it('tells every document that is there', () => {
    const files = readdirSync(new URL('../../../cli/demo/events', import.meta.url)).sort();
    expect([...CHAPTERS, MISTAKE].map(each => each.file)).toEqual(files);
  });
});

describe('names of things', () => {
  it.each([
    ['https://id.gs1.org/01/09521001001014/10/A-0901', 'apples', 'A-0901', 'apples A-0901'],
    ['https://id.gs1.org/01/09521003003016/21/3101', 'bottles', '3101', 'bottle 3101'],
    ['https://id.gs1.org/01/09521003003023/21/1201', 'jars', '1201', 'jar 1201'],
    ['https://id.gs1.org/00/095210030000000084', 'cartons', '8', 'carton 8'],
    ['https://id.gs1.org/00/095210030000000091', 'pallets', '9', 'pallet 9'],
    ['https://id.gs1.org/00/095210030000000107', 'pallets', '10', 'pallet 10'],
    ['https://id.gs1.org/01/09521003003030/21/1', 'other', 'https://id.gs1.org/01/09521003003030/21/1', null],
    ['https://id.gs1.org/01/09521003003016', 'other', 'https://id.gs1.org/01/09521003003016', null],
  ])('%s', (id, kind, name, label) => {
    expect(thingOf(id)).toEqual({ kind, name, label: label ?? id });
  });

  it('says units as people do', () => {
    expect(amountText('12.5', 'KGM')).toBe('12.5 kg');
    expect(amountText('3', 'XBX')).toBe('3 XBX');
    expect(amountText('3', null)).toBe('3');
  });
});

describe('the directory', () => {
  const marked = (name: string, ...more: readonly string[]): string => {
    const home = join(root, name);
    mkdirSync(join(home, 'wallets'), { recursive: true });
    mkdirSync(join(home, 'node0'));
    for (const file of ['genesis.json', 'wallets/alice.json', ...more]) writeFileSync(join(home, file), '{}');
    mark(home);
    return home;
  };
  const notOurs = (why: RegExp) =>
    expect.objectContaining({ code: 'DEMO_DIRECTORY_NOT_OURS', message: expect.stringMatching(why) });

  it('may be absent, empty, or one that an earlier demo left, which is removed as a whole', () => {
    refuseForeign(join(root, 'absent'));
    removeEarlier(join(root, 'absent'));
    mkdirSync(join(root, 'empty'));
    refuseForeign(join(root, 'empty'));
    const home = marked('earlier');
    refuseForeign(home);
    removeEarlier(home);
    expect(existsSync(home)).toBe(false);
    expect(readdirSync(root).filter(each => each.startsWith('earlier'))).toEqual([]);
  });

  it.each([
    ['a file that the demo did not make', 'stranger', 'notes.txt', /notes\.txt/],
    ['a wallet that the demo did not make', 'wallet', 'wallets/carol.json', /wallets\/carol\.json/],
  ])('is refused with %s in it', (_name, directory, file, why) => {
    const home = marked(directory, file);
    expect(() => refuseForeign(home)).toThrow(notOurs(why));
    expect(existsSync(join(home, file))).toBe(true);
  });

  it('is refused without the mark, or with something else in its place', () => {
    const home = join(root, 'unmarked');
    mkdirSync(home);
    writeFileSync(join(home, 'genesis.json'), '{}');
    expect(() => refuseForeign(home)).toThrow(notOurs(/did not make it/));
    for (const text of ['', 'null', '{"madeBy":"somebody"}']) {
      writeFileSync(join(home, 'demo.json'), text);
      expect(() => refuseForeign(home)).toThrow(notOurs(/did not make it/));
    }
  });

  it('is refused where it is a file, or a link to somewhere else', () => {
    writeFileSync(join(root, 'file'), '');
    expect(() => refuseForeign(join(root, 'file'))).toThrow(notOurs(/no directory/));
    symlinkSync(marked('linked'), join(root, 'link'));
    expect(() => refuseForeign(join(root, 'link'))).toThrow(notOurs(/no directory/));
  });

  it('of somebody else is left alone by the command', async () => {
    const home = join(root, 'foreign', '.quorate');
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, 'precious'), 'all I have');
    const ran = await spawned(['demo', '--exit', '--base-port', '0'], { cwd: join(root, 'foreign') });
    expect(ran.code).toBe(1);
    expect(ran.stdout).toBe('');
    expect(ran.stderr).toMatch(/^error: DEMO_DIRECTORY_NOT_OURS: .*\.quorate is there already.*--home\n$/);
    expect(readdirSync(home)).toEqual(['precious']);
    expect(readFileSync(join(home, 'precious'), 'utf8')).toBe('all I have');
  });
});

describe('the ports', () => {
  it('are looked at before anything is written, and the one that is taken is named', async () => {
    const server = createServer();
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    try {
      await expect(refuseTaken([{ peer: port, rpc: port, metrics: port }])).rejects.toMatchObject({
        code: 'PORT_IN_USE',
        message: expect.stringContaining(String(port)),
      });
      // The metrics port of node1.
      const cwd = join(root, 'ports');
      mkdirSync(cwd);
      const ran = await spawned(['demo', '--exit', '--base-port', String(port - 12)], { cwd });
      expect(ran.code).toBe(1);
      expect(ran.stderr).toMatch(/^error: PORT_IN_USE: .*--base-port/);
      expect(readdirSync(cwd)).toEqual([]);
    } finally {
      server.close();
      await once(server, 'close');
    }
    await refuseTaken([{ peer: port, rpc: port, metrics: port }]);
  });
});
