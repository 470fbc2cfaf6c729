/** How a simulated node hears an engine's message: decoded, its signatures checked, judged by the engine, as in a real one. */
import type { Message } from '../../consensus/bft/messages.ts';
import type { Status } from '../../consensus/core.ts';
import { decodeOwn } from '../../ledger/types/codec.ts';
import type { NodeId } from '../../ledger/types/ids.ts';
import { totalPower, type ValidatorSet } from '../../ledger/types/validator.ts';
import { CHAIN_ID } from './chain.ts';
import { mark } from './checks.ts';
import { stubVerify } from './keys.ts';
import type { Packet } from './packet.ts';
import { post, type Replica } from './replica.ts';
import { holds } from './violation.ts';
import type { World } from './world.ts';

export function hear(world: World, replica: Replica, packet: Extract<Packet, { type: 'message' }>): void {
  const { from, signature, bytes } = packet;
  const { module, bears } = world.profile;
  if (packet.heard === null) {
    packet.heard = { message: decodeOwn(module.codec, bytes), isSound: null };
    holds(
      stubVerify(from, module.signed(CHAIN_ID, packet.heard.message), signature),
      () => `a message with a wrong signature from ${from}`,
    );
  }
  const found = packet.heard;
  const { message } = found;
  const claims = replica.life!.core.claims(message);
  if (claims === null) return;
  found.isSound ??= claims.every(each => stubVerify(each.signer, each.signed, each.signature));
  const lies = world.liars.has(from);
  if (!found.isSound) {
    holds(lies, () => `a message with a wrong signature in it from ${from}`);
    mark(world.checks, 'false signature refused');
    return;
  }
  const told = (): void => post(replica, { type: 'message', from, message, signature });
  if (lies && bears === 'byzantine' && !replica.byzantine) tellUnproven(world, replica, message as Message, told);
  else told();
}

/** Where an honest engine is told what is not proved, it must stay where it is. */
function tellUnproven(world: World, replica: Replica, message: Message, tell: () => void): void {
  const { core, chain } = replica.life!;
  const before = core.status();
  tell();
  if (!isDue(before, message) || isProven(chain.final.validators, message) || replica.life?.core !== core) return;
  const after = core.status();
  holds(
    after.height === before.height && after.view === before.view && after.phase === before.phase,
    () => `an unproven ${message.type} moved a node from ${placeIn(before)} to ${placeIn(after)}`,
  );
  mark(world.checks, 'bad justification refused');
}

const placeIn = ({ height, view, phase }: Status): string => `${height}/${view} ${phase}`;

/** Whether the engine is at work where the message belongs. */
const isDue = ({ height, phase, voting }: Status, message: Message): boolean =>
  voting && phase !== 'decided' && message.height === height;

/** Written apart from the engine's own predicates: what a view above the first has to show, signer by signer. */
export function isProven(validators: ValidatorSet, message: Message): boolean {
  const isQuorum = (signers: readonly { readonly signer: NodeId }[]): boolean => {
    const signed = validators.filter(({ key }) => signers.some(({ signer }) => signer === key));
    return 3 * totalPower(signed) > 2 * totalPower(validators);
  };
  if (message.type === 'round-change') {
    const { prepared, view } = message;
    return prepared === null || (prepared.view < view && isQuorum(prepared.signatures));
  }
  if (message.type !== 'proposal') return true;
  const { view, block, justification } = message;
  if (view === 0 || justification === null) return view === 0 && justification === null;
  const { roundChanges, prepares } = justification;
  if (!isQuorum(roundChanges)) return false;
  const prepared = roundChanges.flatMap(each => (each.prepared === null ? [] : [each.prepared]));
  if (prepared.length === 0) return prepares.length === 0;
  const highest = Math.max(...prepared.map(each => each.view));
  return highest < view && isQuorum(prepares) && prepared.some(each => each.view === highest && each.block === block);
}
