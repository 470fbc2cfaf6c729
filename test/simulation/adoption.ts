/** What happens in a simulated node when blocks become final, whoever brought the certificate. */
import { placeAbove } from '../../ledger/admission.ts';
import type { Candidate } from '../../ledger/chain.ts';
import { takeBack } from '../../ledger/take-back.ts';
import type { Certificate } from '../../ledger/types/certificate.ts';
import type { BlockId, Height } from '../../ledger/types/ids.ts';
import { mark, onFinal } from './checks.ts';
import { blockAt } from './cuts.ts';
import { validate } from './perform.ts';
import { clockOf, later, post, type Replica, tellWork } from './replica.ts';
import { commit, writeBehind } from './store.ts';
import type { World } from './world.ts';

/** The ledger moves to `head`, final up to a height; the engine hears of it a moment later. */
export function finalise(
  world: World,
  replica: Replica,
  head: BlockId,
  final: Height,
  certificate: Certificate | null,
): void {
  const { chain, pool, store } = replica.life!;
  const hasFinality = world.profile.module.spec.certificate !== null;
  if (hasFinality && final <= chain.final.header.height) return;
  const branch = chain.included();
  let before = chain.final;
  for (const block of chain.adopt(head, final)) {
    const certified = { ...block, certificate: certificate?.block === block.block.id ? certificate : null };
    const isLast = block.block.id === chain.final.id;
    if (!replica.byzantine) {
      onFinal(world.checks, world.economy, world.profile.module.spec.certificate, {
        parent: { id: before.id, height: before.header.height },
        validators: before.validators,
        final: certified,
        state: isLast ? chain.final.tree : null,
      });
    }
    before = isLast ? chain.final : { ...before, id: block.block.id, header: block.block.header };
    commit(replica.disk, store, certified);
    const place = placeAbove(chain.final, block.block.header.time + 1);
    pool.settle(
      clockOf(world, replica),
      place,
      block.block.transactions.map(each => each.id),
    );
  }
  if (branch.length > 0) leave(world, replica, branch);
  writeBehind(world, replica);
  later(world, replica, 0, () => applied(world, replica));
}

/** What a branch that the head has left recorded waits again, unless it has expired. */
function leave(world: World, replica: Replica, branch: readonly Candidate[]): void {
  const { chain, pool } = replica.life!;
  const waiting = takeBack(chain, pool, clockOf(world, replica), branch);
  const { id, header } = branch.at(-1)!.block;
  if (blockAt(replica, header.height) === id) return;
  mark(world.checks, 'reorganisation');
  if (waiting.length > 0) mark(world.checks, 'transactions returned to the mempool');
}

function applied(world: World, replica: Replica): void {
  const { chain, held, orphans, core } = replica.life!;
  const { id, header, validators } = chain.head;
  held.prune(chain.final.header.height);
  post(replica, { type: 'applied', head: id, header, config: { validators } });
  if (replica.life === null) return;
  if (replica.wiped && core.status().voting) {
    replica.wiped = false;
    mark(world.checks, 'votes again after a wipe');
  }
  for (const orphan of [...orphans]) {
    orphans.delete(orphan);
    validate(world, replica, orphan);
    if (replica.life === null) return;
  }
  tellWork(replica);
}
