import { option, struct, text, union } from '../../types/codec.ts';
import { type Hash, hash, type MemberId, memberId } from '../../types/ids.ts';
import { ID_BYTES_MAX } from './epcis/gs1.ts';
import { segment } from './keys.ts';

const uri = text(ID_BYTES_MAX);

/** Where an item is. Exactly one of these at any time: custody has one holder. */
export type Place =
  | { readonly type: 'held'; readonly holder: MemberId }
  /** In a container, whose custody it shares, since the event that put it there. */
  | { readonly type: 'inside'; readonly container: string; readonly since: Hash }
  /** Shipped, and not received. The shipper stays answerable. `to` null: to whoever receives it. */
  | { readonly type: 'transit'; readonly from: MemberId; readonly to: MemberId | null }
  /** Shipped to somebody who is no member. */
  | { readonly type: 'left'; readonly from: MemberId; readonly party: string }
  /** An input of a transformation: its id, or the hash of an event without one. */
  | { readonly type: 'consumed'; readonly by: MemberId; readonly transformation: string }
  | { readonly type: 'decommissioned'; readonly by: MemberId };

export const place = union({
  held: [0, struct<{ holder: MemberId }>({ holder: memberId })],
  inside: [1, struct<{ container: string; since: Hash }>({ container: uri, since: hash })],
  transit: [2, struct<{ from: MemberId; to: MemberId | null }>({ from: memberId, to: option(memberId) })],
  left: [3, struct<{ from: MemberId; party: string }>({ from: memberId, party: uri })],
  consumed: [4, struct<{ by: MemberId; transformation: string }>({ by: memberId, transformation: uri })],
  decommissioned: [5, struct<{ by: MemberId }>({ by: memberId })],
});

/** Whether what is there can still change place. */
export const isGone = (at: Place): boolean => at.type === 'consumed' || at.type === 'decommissioned';

/** Key segments of a place: `held/<holder>`, `inside/<container>`, `transit/<to or *>/<from>`, `left/<from>/<party>`, … */
export function placePath(at: Place): string {
  switch (at.type) {
    case 'held':
      return `held/${at.holder}`;
    case 'inside':
      return `inside/${segment(at.container)}`;
    case 'transit':
      return `transit/${at.to ?? '*'}/${at.from}`;
    case 'left':
      return `left/${at.from}/${segment(at.party)}`;
    case 'consumed':
      return `consumed/${at.by}`;
    case 'decommissioned':
      return `decommissioned/${at.by}`;
  }
}
