import { expect, it } from 'vitest';
import { BYZANTINE_COMMIT, CRASH_ACK } from '../../ledger/types/certificate.ts';
import type { NodeId } from '../../ledger/types/ids.ts';
import { type Situation, unfitness } from '../../node/fitness.ts';

const [a, b, c, d, stranger] = ['a', 'b', 'c', 'd', 'e'] as NodeId[] as [NodeId, NodeId, NodeId, NodeId, NodeId];
const four = [a, b, c, d].map(key => ({ key, power: 1 }));
const validator: Situation = { self: a, validators: four, rule: BYZANTINE_COMMIT, voting: true, peers: [b, c] };

it.each<[string, Partial<Situation>, RegExp | null]>([
  ['a validator that votes, with a quorum', {}, null],
  ['a validator with one too few', { peers: [b] }, /of power 2, itself included; a block needs 3$/],
  ['a validator without peers', { peers: [] }, /of power 1.* needs 3$/],
  ['a validator connected twice with one', { peers: [b, b] }, /of power 2/],
  ['a validator connected with itself', { peers: [a, b] }, /of power 2/],
  ['a validator among observers and strangers', { peers: [b, null, null, stranger] }, /of power 2/],
  ['a validator that does not vote', { voting: false }, /does not vote yet/],
  ['two of power two', { validators: [{ key: a, power: 2 }, ...four.slice(1)], peers: [b] }, /of power 3.* needs 4$/],
  ['one that makes up for it', { validators: [{ key: a, power: 2 }, ...four.slice(1)], peers: [b, c] }, null],
  ['half of a network that trusts', { rule: CRASH_ACK, peers: [b] }, /of power 2.* needs 3$/],
  ['more than half of it', { rule: CRASH_ACK, validators: four.slice(0, 3), peers: [b] }, null],
  ['the only validator', { validators: four.slice(0, 1), peers: [] }, null],
  ['the only validator, without its votes', { validators: four.slice(0, 1), peers: [], voting: false }, /not vote/],
  ['a validator that was not voted in', { self: stranger, voting: false, peers: [null] }, null],
  ['the same alone', { self: stranger, voting: false, peers: [] }, /no other node/],
  ['a miner with another node', { rule: null, peers: [null] }, null],
  ['a miner alone', { rule: null, peers: [] }, /no other node/],
  ['the only miner', { rule: null, validators: four.slice(0, 1), peers: [] }, null],
  ['an observer', { self: null, voting: false, peers: [b] }, null],
  ['an observer alone', { self: null, voting: false, peers: [] }, /no other node/],
])('%s', (_what, standing, why) => {
  const unfit = unfitness({ ...validator, ...standing });
  if (why === null) expect(unfit).toBeNull();
  else expect(unfit).toMatch(why);
});
