import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { publicKeyOf } from '#crypto';
import { factsOfNode } from '../../../cli/facts.ts';
import { createNetwork } from '../../../cli/network/create.ts';
import { stopNode } from '../../../cli/network/process.ts';
import { networkUp } from '../../../cli/network/up.ts';
import { captureDocument } from '../../../cli/supply/capture.ts';
import { recallTree, traceTree, whereOf } from '../../../cli/supply/present.ts';
import type { RecallStep, TraceStep } from '../../../client/api.ts';
import { type Rpc, rpcClient } from '../../../client/rpc.ts';
import { walletFromSecret } from '../../../client/wallet/wallet.ts';
import { ROLES } from '../../../ledger/modules/operation.ts';
import { utf8 } from '../../../ledger/types/bytes.ts';
import { quorate, temporary } from './run.ts';

const root = temporary();
const key = { type: 'ed25519', secret: new Uint8Array(32).fill(9) } as const;
const LOT = 'urn:epc:class:lgtin:9521001.000101.L1';
const JUICE = 'urn:epc:id:sgtin:9521001.000201.J1';

const event = (more: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> => ({
  '@context': ['https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld'],
  eventTimeZoneOffset: '+00:00',
  readPoint: { id: 'urn:epc:id:sgln:9521001.00001.0' },
  ...more,
});
const observed = (epc: string, eventTime: string) =>
  event({ type: 'ObjectEvent', action: 'OBSERVE', bizStep: 'inspecting', epcList: [epc], eventTime });
const commissioned = event({
  type: 'ObjectEvent',
  action: 'ADD',
  bizStep: 'commissioning',
  quantityList: [{ epcClass: LOT, quantity: 10, uom: 'KGM' }],
  eventTime: '2026-01-01T08:00:00Z',
});
const pressed = event({
  type: 'TransformationEvent',
  inputQuantityList: [{ epcClass: LOT, quantity: 4, uom: 'KGM' }],
  outputEPCList: [JUICE],
  eventTime: '2026-01-02T08:00:00Z',
});

const documentOf = (...eventList: object[]) =>
  utf8(
    JSON.stringify({
      '@context': ['https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld'],
      type: 'EPCISDocument',
      schemaVersion: '2.0',
      creationDate: '2026-01-03T00:00:00Z',
      epcisBody: { eventList },
    }),
  );

describe('capture', () => {
  let rpc: Rpc;
  let url: string;
  let home: string;

  beforeAll(async () => {
    const accounts = [{ keys: [publicKeyOf(key)], roles: ROLES }];
    const member = { id: 'orchard', name: 'Orchard', roles: ROLES, accounts, gs1Prefixes: ['9521001'] };
    const plan = { chainId: 'supply', genesisTime: Date.now(), engine: 'pbft', members: [member], tokens: [] };
    const created = await createNetwork(join(root, 'net'), plan, { validators: 1, basePort: 0 });
    home = created.nodes[0]!.home;
    const [node] = await networkUp(created.directory);
    url = node!.rpcUrl;
    rpc = rpcClient({ urls: [url] });
  });
  afterAll(() => stopNode(home));

  async function capture(bytes: Uint8Array) {
    const wallet = walletFromSecret(key);
    if (!wallet.ok) throw new Error(wallet.error.message);
    return captureDocument(bytes, { nodes: [rpc], facts: await factsOfNode(rpc), wallet: wallet.value });
  }

  it('records what is in order and says why the rest is refused, in the order of the document', async () => {
    // Out of order in the file, so that the juice is only there because events wait for one another.
    const { type: _, ...untyped } = pressed;
    const document = documentOf(
      observed(JUICE, '2026-01-02T09:00:00Z'),
      pressed,
      untyped,
      commissioned,
      observed('urn:epc:id:sgtin:9521001.000201.NONE', '2026-01-02T09:00:00Z'),
    );
    const captured = await capture(document);
    expect(captured.counts).toEqual({ recorded: 3, 'already recorded': 0, attested: 0, refused: 2 });
    expect(captured.events.map(each => [each.position, each.outcome, each.code])).toEqual([
      [1, 'recorded', null],
      [2, 'recorded', null],
      [3, 'refused', 'UNKNOWN_EVENT_TYPE'],
      [4, 'recorded', null],
      [5, 'refused', 'NOT_COMMISSIONED'],
    ]);
    for (const each of captured.events.filter(({ outcome }) => outcome === 'recorded')) {
      expect(each.eventID).toMatch(/^ni:\/\/\/sha-256;[0-9a-f]{64}\?ver=CBV2\.0$/);
      expect(each.height).toBeGreaterThan(0);
    }
    const again = await capture(document);
    expect(again.counts).toEqual({ recorded: 0, 'already recorded': 3, attested: 0, refused: 2 });
    expect(again.events.map(each => each.height)).toEqual(captured.events.map(each => each.height));
  });

  it('keeps the order of a long chain, more than a batch, over side by side batches', async () => {
    const minutes = Array.from({ length: 600 }, (_, i) => new Date(Date.UTC(2026, 0, 3, 0, i)).toISOString());
    const packed = minutes.map((eventTime, i) =>
      event({
        type: 'AggregationEvent',
        action: i % 2 === 0 ? 'ADD' : 'DELETE',
        parentID: 'urn:epc:id:sscc:9521001.0000000001',
        childEPCs: [JUICE],
        eventTime,
      }),
    );
    const captured = await capture(documentOf(...packed.toReversed()));
    expect(captured.counts).toEqual({ recorded: 600, 'already recorded': 0, attested: 0, refused: 0 });
  });

  it.each([
    ['XML', '<epcis:EPCISDocument/>', 'XML_NOT_SUPPORTED'],
    ['no JSON', '{', 'BAD_JSON'],
    ['another document', '{"type": "Invoice"}', 'NOT_EPCIS'],
  ])('refuses %s as a whole', async (_what, text, code) => {
    await expect(capture(utf8(text))).rejects.toMatchObject({ code });
  });

  it('is asked about on the command line', async () => {
    const at = ['--rpc', url];
    const item = await quorate(['supply', 'item', JUICE, ...at]);
    expect(item.stdout).toMatch(/where +held by orchard/);
    expect(item.stdout).toContain('TransformationEvent');
    const trace = await quorate(['supply', 'trace', JUICE, ...at]);
    expect(trace.stdout).toMatch(/^https:\/\/id\.gs1\.org\/01\/\d{14}\/21\/J1\n└─ .*\/10\/L1\n/);
    const recall = await quorate(['supply', 'recall', LOT, ...at]);
    expect(recall.stdout).toMatch(/\/10\/L1 \[bad\]\n/);
    expect(recall.stdout).toMatch(/6 KGM held by orchard\n└─ .*\/21\/J1 \[made from\] held by orchard/);
    const inventory = (await quorate(['supply', 'inventory', '--member', 'orchard', '--json', ...at])).json<{
      items: object[];
    }>();
    expect(inventory.items).toContainEqual(expect.objectContaining({ quantity: '6', unit: 'KGM' }));
    expect((await quorate(['supply', 'inbound', '--member', 'orchard', ...at])).stdout).toBe('nothing\n');
    expect(await quorate(['supply', 'item', 'urn:epc:id:sgtin:1.2', ...at])).toMatchObject({ code: 1, stdout: '' });
  });
});

describe('answers for people', () => {
  const step = (id: string, from: string | null, more: Partial<TraceStep> = {}): TraceStep => ({
    id,
    depth: 0,
    from,
    relation: from === null ? 'start' : 'transformed',
    transformation: null,
    event: null,
    void: false,
    ...more,
  });

  it('are trees of what hangs on what', () => {
    const steps = [step('juice', null), step('a', 'juice'), step('b', 'juice'), step('seed', 'a', { void: true })];
    expect(traceTree(steps)).toBe(['juice', '├─ a', '│  └─ seed (by a void event alone)', '└─ b'].join('\n'));
  });

  it('lose nothing: not what hangs on itself, nor on what is not shown', () => {
    const steps = [step('a', null), step('b', 'elsewhere'), step('c', 'c')];
    expect(traceTree(steps).split('\n')).toEqual(['a', 'b', 'c']);
  });

  it('show a chain of ten thousand steps', () => {
    const steps = Array.from({ length: 10_000 }, (_, i) => step(`s${i}`, i === 0 ? null : `s${i - 1}`));
    expect(traceTree(steps).split('\n')).toHaveLength(10_000);
  });

  it('cannot move the cursor of a terminal', () => {
    expect(traceTree([step('a\u001b[2Jb', null)])).toBe('a�[2Jb');
  });

  const where = { member: 'orchard', to: null, container: null };
  it.each([
    [{ ...where, place: 'held' as const }, 'held by orchard'],
    [{ ...where, place: 'transit' as const }, 'in transit from orchard to whoever receives it'],
    [{ ...where, place: 'transit' as const, to: 'press' }, 'in transit from orchard to press'],
    [{ ...where, place: 'left' as const, to: 'urn:x' }, 'left the network from orchard to urn:x'],
    [{ ...where, place: 'consumed' as const }, 'consumed by orchard'],
    [{ ...where, place: 'decommissioned' as const }, 'decommissioned by orchard'],
  ])('say where things are: %o', (of, text) => {
    expect(whereOf(of)).toBe(text);
  });

  it('show every place of a lot in a recall', () => {
    const held = { ...where, place: 'held' as const, quantity: '2.5', unit: 'KGM' };
    const bad: RecallStep = {
      id: 'lot',
      reason: 'bad',
      because: null,
      event: null,
      void: false,
      where: null,
      stock: [held],
    };
    expect(recallTree([bad])).toBe('lot [bad]\n    2.5 KGM held by orchard');
  });
});
