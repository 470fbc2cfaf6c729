/** The story: one EPCIS document after the other, each recorded by the organisation that saw it happen. */
import { readFileSync } from 'node:fs';
import { FaultError } from '../../ledger/types/errors.ts';
import { factsOfNode } from '../facts.ts';
import { type Captured, type CapturedEvent, captureDocument } from '../supply/capture.ts';
import type { Stage } from './stage.ts';

export interface Chapter {
  readonly file: string;
  readonly member: string;
  readonly text: string;
}

export interface ToldChapter extends Chapter {
  readonly recorded: number;
  /** Of the last block that one of its events is in. */
  readonly height: number;
  readonly durationMs: number;
}

export const CHAPTERS: readonly Chapter[] = [
  { file: '01-orchard-harvest.jsonld', member: 'orchard', text: 'commissions three lots of apples and ships them' },
  {
    file: '02-press-juice-and-sauce.jsonld',
    member: 'press',
    text: 'receives them, makes juice and sauce, ships both',
  },
  {
    file: '03-cannery-filling-and-packing.jsonld',
    member: 'cannery',
    text: 'fills bottles and jars, packs two pallets',
  },
  { file: '04-carrier-on-the-road.jsonld', member: 'carrier', text: 'drives both pallets, records the temperature' },
  { file: '05-grocer-receiving-and-sale.jsonld', member: 'grocer', text: 'receives, unpacks, stocks and sells' },
  { file: '06-orchard-recall.jsonld', member: 'orchard', text: 'finds patulin in lot A-0901 and recalls it' },
];

export const MISTAKE: Chapter = {
  file: '07-grocer-mistake.jsonld',
  member: 'grocer',
  text: 'ships carton 4, which is still at the cannery',
};

/** The bad lot. */
export const RECALLED = 'urn:epc:class:lgtin:9521001.000101.A-0901';

/** Records every event of a chapter. Throws DEMO_EVENT_REFUSED where the ledger refuses one. */
export async function tellChapter(stage: Stage, chapter: Chapter): Promise<ToldChapter> {
  const began = Date.now();
  const { events, counts } = await capture(stage, chapter);
  const [refused] = events.filter(each => each.outcome === 'refused');
  if (refused !== undefined)
    throw new FaultError({
      code: 'DEMO_EVENT_REFUSED',
      message: `event ${refused.position} of ${chapter.file} was refused: ${refused.code} (${refused.concerns})`,
      hint: refused.hint ?? 'see docs/protocol.md',
    });
  const height = Math.max(...events.map(each => each.height ?? 0));
  return { ...chapter, recorded: counts.recorded, height, durationMs: Date.now() - began };
}

export interface ToldMistake extends Chapter {
  readonly code: string;
  readonly concerns: string;
  readonly hint: string;
}

/** Submits what the ledger must refuse. Throws DEMO_MISTAKE_RECORDED where it does not. */
export async function tellMistake(stage: Stage): Promise<ToldMistake> {
  const { events } = await capture(stage, MISTAKE);
  const { code, concerns, hint }: Partial<CapturedEvent> = events[0] ?? {};
  if (!code)
    throw new FaultError({
      code: 'DEMO_MISTAKE_RECORDED',
      message: `the ledger took the event of ${MISTAKE.file}, which breaks its rules`,
      hint: 'this is a fault of the ledger: please report it',
    });
  return { ...MISTAKE, code, concerns: concerns ?? '', hint: hint ?? '' };
}

async function capture({ rpcOf, wallets, signal }: Stage, { file, member }: Chapter): Promise<Captured> {
  const bytes = readFileSync(new URL(`./events/${file}`, import.meta.url));
  const rpc = rpcOf(member);
  return captureDocument(bytes, { nodes: [rpc], facts: await factsOfNode(rpc), wallet: wallets.get(member)!, signal });
}
