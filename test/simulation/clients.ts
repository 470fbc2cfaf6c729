/**
 * Clients of a simulated network. Each acts for one organisation, has one operation under way at a time, and sends it to a node of
 * its choice; where that node is down, stands still or says nothing for long, the same bytes go to another one, as in
 * `client/submit.ts`. What they saw is a history on the virtual clock, to be checked for linearizability.
 *
 * An operation that changes something is a transaction: it returns when a node says that it is final, with its receipt. One that
 * reads is a transaction, too, which changes nothing (`tx_submit`, `tx_wait`), and then the state after the block that recorded it,
 * from any node (`state_get` with that height). This is a linearizable read: what returned before the read was called is
 * in an earlier block, since whatever is recorded below a final block was sent before that block was final; what is called after the
 * read returned is in a later one. A plain read of one node's newest state is none: the node may lag behind what others told already.
 *
 * A client believes the node that it asks, as it does that of its own organisation: nobody asks a liar. Who must, asks for proofs.
 */
import { below, type Rng, rng } from '../../consensus/rng.ts';
import { addPrefix } from '../../ledger/modules/members/add-prefix.ts';
import { members } from '../../ledger/modules/members/member.ts';
import { prefixOwner } from '../../ledger/modules/members/prefixes.ts';
import { removePrefix } from '../../ledger/modules/members/remove-prefix.ts';
import { updateMember } from '../../ledger/modules/members/update-member.ts';
import { ROLES } from '../../ledger/modules/operation.ts';
import { create } from '../../ledger/modules/tokens/create.ts';
import { mint } from '../../ledger/modules/tokens/mint.ts';
import { balanceOf } from '../../ledger/modules/tokens/token.ts';
import { transfer } from '../../ledger/modules/tokens/transfer.ts';
import type { StateReader } from '../../ledger/state/overlay.ts';
import type { Height } from '../../ledger/types/ids.ts';
import type { Receipt } from '../../ledger/types/receipt.ts';
import type { IdentifiedTransaction, Operation } from '../../ledger/types/transaction.ts';
import { type Recorder, recorder } from '../linearizability/history.ts';
import type { RegisterInput, RegisterOutput, TokenInput, TokenOutput } from '../linearizability/models.ts';
import { operationOf, seatOf, transactionOf } from './economy.ts';
import { admit, type Replica, tip } from './replica.ts';
import { holds } from './violation.ts';
import { after, type World } from './world.ts';

export interface Clients {
  readonly tokens: Recorder<TokenInput, TokenOutput>;
  readonly registers: Recorder<RegisterInput, RegisterOutput>;
}

/** `settled`: after a block that holds a transaction of the reader's. `plain`: whatever the node at hand has. */
export type Reads = 'settled' | 'plain';

interface Client {
  readonly world: World;
  readonly reads: Reads;
  readonly histories: Clients;
  readonly draw: Rng;
  readonly process: number;
  /** Whom it acts for. */
  readonly organisation: number;
  /** Of its transactions: no two are the same. */
  readonly numbers: { next: number };
}

const CLIENTS = 4;
/** The client that creates the token, and more of it later. */
const MINTER = 0;
const TOKEN = 'GOLD';
/** So little that transfers are often refused. */
const MINTED_MAX = 20;
const AMOUNT_MAX = 10;
/** Registers that anyone may take while nobody has them. */
const PREFIXES = ['9521', '9522'] as const;
/** Numbers of transactions above those of the load. */
const NUMBERS_FROM = 3_000_000;
const RNG_STREAM = 11;

const PAUSE_MS_MAX = 600;
const POLL_MS = 25;
const GOSSIP_MS_MAX = 100;
/** How long a node may say nothing until another one is asked. */
const SILENCE_MS = 1500;
/** How long until a client gives an operation up and does something else: some have little time. */
const HURRY_MS = 2000;
const PATIENCE_MS = 150_000;

export function startClients(world: World, reads: Reads): Clients {
  const histories: Clients = { tokens: recorder(), registers: recorder() };
  const { accounts } = world.economy;
  const numbers = { next: NUMBERS_FROM };
  const clients = Array.from({ length: CLIENTS }, (_, i): Client => {
    const draw = rng(BigInt(world.seed), RNG_STREAM + i);
    return { world, reads, histories, draw, process: i, organisation: i % accounts.length, numbers };
  });
  // Of a token that is not there yet nobody has any: its creation is no part of the history.
  const creation = operationOf(create, { token: TOKEN, name: 'Gold', decimals: 0, admins: [accounts[MINTER]!] });
  for (const each of clients)
    after(world, 1, () => {
      if (each.process === MINTER) settle(each, creation, Number.POSITIVE_INFINITY, () => act(each));
      else act(each);
    });
  return histories;
}

/** One operation, and when it has ended, however it has, another one. */
function act(client: Client): void {
  const { world, draw } = client;
  const operate = below(draw, 2) === 0 ? actOnToken : actOnRegister;
  after(world, 1 + below(draw, PAUSE_MS_MAX), () => operate(client, () => act(client)));
}

function actOnToken(client: Client, done: () => void): void {
  const { world, histories, draw, process, organisation } = client;
  const { accounts } = world.economy;
  const own = accounts[organisation]!;
  const someone = accounts[below(draw, accounts.length)]!;
  const call = (input: TokenInput) => histories.tokens.call(process, input, world.now);
  const kind = below(draw, 10);
  if (kind < 4) {
    const end = call({ type: 'balance', token: TOKEN, of: someone });
    read(client, state => end(balanceOf(state, TOKEN, someone), world.now), done);
  } else if (kind < 7 && process === MINTER) {
    const amount = BigInt(1 + below(draw, MINTED_MAX));
    const end = call({ type: 'mint', token: TOKEN, to: someone, amount });
    change(client, operationOf(mint, { token: TOKEN, to: someone, amount }), [], () => end(true, world.now), done);
  } else {
    const amount = BigInt(1 + below(draw, AMOUNT_MAX));
    const end = call({ type: 'transfer', token: TOKEN, from: own, to: someone, amount });
    const operation = operationOf(transfer, { token: TOKEN, to: someone, amount });
    const refusals = ['INSUFFICIENT_BALANCE', 'UNKNOWN_TOKEN'];
    change(client, operation, refusals, succeeded => end(succeeded, world.now), done);
  }
}

function actOnRegister(client: Client, done: () => void): void {
  const { draw } = client;
  if (below(draw, 2) === 0) actOnPrefix(client, PREFIXES[below(draw, PREFIXES.length)]!, done);
  else actOnName(client, done);
}

/** Who holds a GS1 prefix: set where nobody does, emptied by anyone, whether or not it was set. */
function actOnPrefix(client: Client, digits: string, done: () => void): void {
  const { world, histories, draw, process, organisation } = client;
  const call = (input: RegisterInput) => histories.registers.call(process, input, world.now);
  const kind = below(draw, 4);
  if (kind < 2) {
    const end = call({ type: 'read', key: digits });
    read(client, state => end(prefixOwner(state, digits), world.now), done);
  } else if (kind === 2) {
    const { member } = seatOf(organisation);
    const end = call({ type: 'cas', key: digits, from: null, to: member });
    const operation = operationOf(addPrefix, { member, digits });
    change(client, operation, ['PREFIX_OVERLAP'], succeeded => end(succeeded, world.now), done);
  } else {
    const end = call({ type: 'write', key: digits, value: null });
    change(client, operationOf(removePrefix, { digits }), ['UNKNOWN_PREFIX'], () => end(null, world.now), done);
  }
}

/** What the first organisation is called: anyone may say, and each says something else. */
function actOnName(client: Client, done: () => void): void {
  const { world, histories, draw, process, numbers } = client;
  const call = (input: RegisterInput) => histories.registers.call(process, input, world.now);
  const { member } = seatOf(0);
  if (below(draw, 2) === 0) {
    const end = call({ type: 'read', key: member });
    read(client, state => end(writtenName(state), world.now), done);
  } else {
    const name = `number ${numbers.next}`;
    const end = call({ type: 'write', key: member, value: name });
    change(client, operationOf(updateMember, { member, name, roles: ROLES }), [], () => end(null, world.now), done);
  }
}

/** null: still that of genesis, which is the id. */
function writtenName(state: StateReader): string | null {
  const { member } = seatOf(0);
  const { name } = members.get(state, member)!;
  return name === member ? null : name;
}

/** An operation that is refused, if at all, with one of `refusals`. Where its end is not learnt in time `told` never hears. */
function change(
  client: Client,
  operation: Operation,
  refusals: readonly string[],
  told: (succeeded: boolean) => void,
  done: () => void,
): void {
  settle(client, operation, patienceOf(client), settled => {
    if (settled !== null) {
      const { succeeded, code } = settled.receipt;
      holds(succeeded || refusals.includes(code), () => `${operation.kind} is refused with ${code}`);
      told(succeeded);
    }
    done();
  });
}

function read(client: Client, told: (state: StateReader) => void, done: () => void): void {
  const { world, reads, organisation } = client;
  if (reads === 'plain') {
    const node = someNode(client, null);
    if (node?.life) told(node.life.chain.final.tree);
    done();
    return;
  }
  const own = world.economy.accounts[organisation]!;
  const marker = operationOf(transfer, { token: TOKEN, to: own, amount: 1n });
  const patience = patienceOf(client);
  settle(client, marker, patience, settled => {
    if (settled === null) done();
    else
      ask(
        client,
        patience,
        node => stateAt(world, node, settled.height),
        state => {
          if (state !== null) told(state);
          done();
        },
      );
  });
}

const patienceOf = ({ draw }: Client): number => (below(draw, 5) === 0 ? HURRY_MS : PATIENCE_MS);

interface Settled {
  readonly height: Height;
  readonly receipt: Receipt;
}

/** Sends an operation until a node says that it is final; null: not in time, so it may be recorded later, or never. */
function settle(
  client: Client,
  operation: Operation,
  patienceMs: number,
  done: (settled: Settled | null) => void,
): void {
  const { world, organisation, numbers } = client;
  const transaction = transactionOf(world.economy, organisation, operation, numbers.next++, world.now);
  // It did not exist before: no block that is final anywhere by now has it.
  const above = world.checks.decided.size;
  ask(
    client,
    patienceMs,
    node => receiptAt(node, above, transaction),
    done,
    node => send(client, node, transaction),
  );
}

/** To one node, which passes it on to those that it reaches. */
function send({ world, draw }: Client, node: Replica, transaction: IdentifiedTransaction): void {
  admit(world, node, transaction);
  for (const other of world.replicas)
    if (other !== node && below(draw, 3) > 0)
      after(world, 1 + below(draw, GOSSIP_MS_MAX), () => admit(world, other, transaction));
}

/** Asks one node again and again, and another one where it does not answer. `first` is what each is told before. */
function ask<Answer>(
  client: Client,
  patienceMs: number,
  answerOf: (node: Replica) => Answer | null,
  done: (answer: Answer | null) => void,
  first: (node: Replica) => void = () => {},
): void {
  const { world } = client;
  const end = world.now + patienceMs;
  let node: Replica | null = null;
  let since = 0;
  const turn = (): void => {
    if (node === null || !serves(node) || world.now - since > SILENCE_MS) {
      node = someNode(client, node);
      since = world.now;
      if (node !== null) first(node);
    }
    const answer = node !== null && serves(node) ? answerOf(node) : null;
    if (answer !== null || world.now >= end) done(answer);
    else after(world, POLL_MS, turn);
  };
  turn();
}

const serves = ({ life, paused }: Replica): boolean => life !== null && paused === null;

/** An honest node that serves, another one than `last` where there is one. */
function someNode({ world, draw }: Client, last: Replica | null): Replica | null {
  const nodes = world.replicas.filter(each => !each.byzantine && serves(each));
  const others = nodes.filter(each => each !== last);
  const from = others.length > 0 ? others : nodes;
  return from[below(draw, Math.max(1, from.length))] ?? null;
}

/** What the node calls final of a transaction; null: nothing yet. */
function receiptAt({ disk }: Replica, above: Height, { id }: IdentifiedTransaction): Settled | null {
  for (const { block, receipts } of disk.blocks.slice(above)) {
    const receipt = receipts.find(each => each.transaction === id);
    if (receipt !== undefined) return { height: block.header.height, receipt };
  }
  return null;
}

/** The node's state after a final block, put together from what each block wrote; null where it has not come so far. */
function stateAt({ genesis }: World, node: Replica, height: Height): StateReader | null {
  if (tip(node).height < height) return null;
  const written = [genesis.changes, ...node.disk.blocks.slice(0, height).map(each => each.changes)];
  return { get: path => written.findLast(each => each.has(path))?.get(path) ?? null };
}
