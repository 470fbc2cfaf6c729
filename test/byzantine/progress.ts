/** How a network gets on while a peer attacks it, against a calm time before. */
import { expect } from 'vitest';
import { pause } from '../../client/rpc.ts';
import { expectUnharmed, logOf, type Node, residentMb, type Scene } from './scene.ts';
import type { Progress, Trickle } from './trickle.ts';

const CALM_MS = 3_000;
/** The calm network has a silent fourth validator; a talking one must not halve its progress. */
const PROGRESS_MIN = 0.5;
/**
 * A machine that others use as well halts for seconds, and says nothing about the attack by it: so a slow round is attacked again, beside a
 * calm time of its own. What an attack does to a network it does in every round.
 */
const ROUNDS_MAX = 5;
const GROWTH_MB_MAX = 150;

export interface Watch {
  /** Runs `attack`, again where the network hardly moved meanwhile, and expects it to have harmed nobody. */
  expectProgressUnder(title: string, attack: () => Promise<void>): Promise<void>;
}

/** Watches a calm network for a while first: what is compared with. */
export async function watchProgress(scene: Scene, trickle: Trickle): Promise<Watch> {
  const calmly = (): Promise<Progress> => during(trickle, () => pause(CALM_MS));
  let calm = await calmly();
  const resident = new Map(scene.nodes.map(each => [each, residentMb(each)]));
  const grown = (node: Node): number => Math.round(residentMb(node) - resident.get(node)!);

  async function pace(title: string, attack: () => Promise<void>): Promise<number> {
    const progress = await during(trickle, attack);
    const found = perSecond(progress) / perSecond(calm);
    const { p50, max } = progress.latencyMs;
    process.stdout.write(
      `${title}: ${progress.final} of ${progress.sent} final in ${progress.seconds.toFixed(1)} s, ` +
        `${found.toFixed(2)} of calm, latency ${p50}/${max} ms, grown ${scene.nodes.map(grown)} MB\n`,
    );
    return found;
  }

  return {
    async expectProgressUnder(title, attack) {
      const since = new Map(scene.nodes.map(each => [each, logOf(each).length]));
      const paces = [await pace(title, attack)];
      while (paces.at(-1)! <= PROGRESS_MIN && paces.length < ROUNDS_MAX) {
        calm = await calmly();
        paces.push(await pace(title, attack));
      }
      expect(paces.at(-1), `of the calm pace; in each round: ${paces}`).toBeGreaterThan(PROGRESS_MIN);
      for (const node of scene.nodes) expect(grown(node)).toBeLessThan(GROWTH_MB_MAX);
      await expectUnharmed(scene.nodes, since);
    },
  };
}

async function during(trickle: Trickle, act: () => Promise<void>): Promise<Progress> {
  trickle.lap();
  await act();
  return trickle.lap();
}

const perSecond = ({ final, seconds }: Progress): number => final / seconds;
