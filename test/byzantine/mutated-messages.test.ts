/**
 * A validator that signs everything correctly and says what is not so: messages for the current state with one field
 * changed, blocks with one wrong header field or transaction, two different statements for one slot.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verify } from '#crypto';
import { randomBytes } from '../../client/entropy.ts';
import { pause } from '../../client/rpc.ts';
import { fromBase64 } from '../../client/transaction-file.ts';
import { verifyEvidence } from '../../consensus/bft/evidence.ts';
import { TAGS } from '../../consensus/bft/messages.ts';
import { leaderOf } from '../../consensus/pbft/leader.ts';
import { blockId } from '../../ledger/crypto/ids.ts';
import type { Block } from '../../ledger/types/block.ts';
import type { BlockId, NodeId } from '../../ledger/types/ids.ts';
import { isConnected, type Liar, startLiar } from './liar.ts';
import { MUTATED_BLOCKS } from './mutated-blocks.ts';
import { currentSlot, FALSE_MESSAGES, MUTATED_VOTES } from './mutated-votes.ts';
import { type Watch, watchProgress } from './progress.ts';
import { eventually, expectUnharmed, logOf, type Node, openScene, type Scene } from './scene.ts';
import { startTrickle, type Trickle } from './trickle.ts';

const ATTACK_MS_MIN = 3_000;
const ATTACK_MS_MAX = 60_000;
const STEP_MS = 4;

let scene: Scene;
let liar: Liar;
let trickle: Trickle;
let watch: Watch;

beforeAll(async () => {
  scene = await openScene('byzantine-messages');
  await Promise.all(scene.nodes.map(scene.start));
  liar = await startLiar(scene);
  await eventually('the liar is connected with all', () => scene.nodes.every(each => isConnected(liar, each)));
  trickle = startTrickle(scene);
  await eventually('the chain grows', () => liar.chain.final.header.height >= 8);
  watch = await watchProgress(scene, trickle);
}, 120_000);

afterAll(async () => {
  await liar?.stop();
  await scene?.close();
}, 60_000);

/** Repeats `step` until `done`, and for a while at least; the network gets on meanwhile. */
async function campaign(title: string, step: () => void, done: () => boolean): Promise<void> {
  await watch.expectProgressUnder(title, () => repeated(step, done));
}

async function repeated(step: () => void, done: () => boolean): Promise<void> {
  const begun = performance.now();
  for (;;) {
    step();
    await pause(STEP_MS);
    const lasted = performance.now() - begun;
    if (lasted > ATTACK_MS_MAX) break;
    if (lasted > ATTACK_MS_MIN && done()) break;
  }
}

/** Calls `turn` once for each height that the liar leads. */
function onTurn(turn: () => void): () => void {
  let last = 0;
  return () => {
    const height = liar.chain.final.header.height + 1;
    if (!liar.leads(0) || height === last) return;
    last = height;
    turn();
  };
}

function propose(block: Block, to: readonly Node[] = scene.nodes): BlockId {
  const id = blockId(block.header);
  const { height } = liar.chain.final.header;
  liar.publish(block);
  for (const node of to) {
    liar.say(node, { type: 'proposal', height: height + 1, view: 0, block: id, justification: null });
    liar.say(node, { type: 'prepare', height: height + 1, view: 0, block: id });
    liar.say(node, { type: 'commit', height: height + 1, view: 0, block: id });
  }
  return id;
}

interface EvidenceItem {
  readonly offender: string;
  readonly height: number;
  readonly view: number;
  readonly phase: string;
  readonly first: { readonly signed: string; readonly signature: string };
  readonly second: { readonly signed: string; readonly signature: string };
}

async function evidenceOf({ rpc }: Node): Promise<readonly EvidenceItem[]> {
  const answer = await rpc.call('node_getEvidence' as 'node_getPeers', { limit: 500 });
  return answer.ok ? (answer.value.items as unknown as EvidenceItem[]) : [];
}

describe('a validator that says what is not so', () => {
  it('moves nobody with votes, round changes and proposals that are wrong in one field', async () => {
    const said = new Set<string>();
    let next = 0;
    await campaign(
      'wrong votes',
      () => {
        for (let i = 0; i < 4; i++) {
          const [name, mutation] = MUTATED_VOTES[next++ % MUTATED_VOTES.length]!;
          liar.sayAll(mutation(currentSlot(liar), liar));
          said.add(name);
        }
        // A key that is no validator's votes as well.
        const slot = currentSlot(liar);
        const stranger = { type: 'ed25519', secret: randomBytes(32) } as const;
        for (const node of scene.nodes) liar.say(node, { type: 'commit', ...slot }, stranger);
      },
      () => said.size === MUTATED_VOTES.length,
    );
    expect(scene.nodes.filter(each => !isConnected(liar, each))).toEqual([]);
  }, 120_000);

  it('gets no block recorded that is wrong in one header field or transaction', async () => {
    const blocks = Object.entries(MUTATED_BLOCKS);
    const proposed = new Map<BlockId, string>();
    let next = 0;
    await campaign(
      'wrong blocks',
      onTurn(() => {
        const [name, mutated] = blocks[next++ % blocks.length]!;
        proposed.set(propose(mutated(liar, scene)), name);
      }),
      () => next >= blocks.length,
    );
    expect(new Set(proposed.values())).toEqual(new Set(Object.keys(MUTATED_BLOCKS)));
    expect([...proposed].filter(([id]) => liar.finals.has(id))).toEqual([]);
  }, 120_000);

  it('that equivocates splits nobody, and is reported with proof that anyone can check', async () => {
    let turns = 0;
    await campaign(
      'equivocation',
      onTurn(() => {
        const [a, b, c] = scene.nodes as [Node, Node, Node];
        const { time } = liar.build().header;
        const one = liar.build(undefined, time + 1);
        const other = liar.build(undefined, time + 2);
        propose(one, [a, c]);
        propose(other, [b, c]);
        turns++;
      }),
      () => turns >= 5,
    );
    const evidence = (await Promise.all(scene.nodes.map(evidenceOf))).flat();
    expect(new Set(evidence.map(each => each.phase))).toEqual(new Set(['proposal', 'prepare', 'commit']));
    for (const { offender, first, second, ...slot } of evidence) {
      expect(offender).toBe(`ed25519:${scene.liar.validator.slice(2)}`);
      const key = scene.liar.validator as NodeId;
      const [one, other] = [first, second].map(each => ({
        signed: fromBase64(each.signed)!,
        signature: fromBase64(each.signature)!,
      })) as [{ signed: Uint8Array; signature: Uint8Array }, { signed: Uint8Array; signature: Uint8Array }];
      const found = { offender: key, ...slot, first: one, second: other };
      expect(verifyEvidence(TAGS, scene.genesis.chainId, found)).toBe(true);
      for (const { signed, signature } of [one, other]) expect(verify(key, signed, signature)).toBe(true);
    }
  }, 120_000);

  it('cannot make the next leader propose a block whose body it took away from it', async () => {
    let turns = 0;
    await campaign(
      'bodies taken away',
      onTurn(() => {
        // All but the next leader prepare a block; that one holds its body, hears of no proposal, and is then given other bodies.
        const { validators, header } = liar.chain.final;
        const next = leaderOf(validators, header.proposer, 1);
        const time = Math.max(Date.now(), header.time + 1);
        const block = liar.build(undefined, time);
        const id = blockId(block.header);
        liar.publish(block);
        for (const node of scene.nodes.filter(each => each.validator !== next)) {
          liar.say(node, { type: 'proposal', height: header.height + 1, view: 0, block: id, justification: null });
          liar.say(node, { type: 'prepare', height: header.height + 1, view: 0, block: id });
        }
        for (let i = 1; i <= 12; i++) liar.publish(liar.build(undefined, time + i));
        turns++;
      }),
      () => turns >= 4,
    );
  }, 120_000);

  it('is cut for a signature that does not hold', async () => {
    for (const [i, [name, mutation]] of FALSE_MESSAGES.entries()) {
      const node = scene.nodes[i]!;
      const before = logOf(node).length;
      await eventually(`${node.name} cuts who sends ${name}`, () => {
        // Of a height that is over by now its signatures are not looked at: so again, of the one after.
        liar.say(node, mutation(currentSlot(liar), liar));
        return logOf(node).slice(before).includes('MESSAGE_INVALID');
      });
    }
    await trickle.stop();
    await expectUnharmed(scene.nodes);
  }, 120_000);
});
