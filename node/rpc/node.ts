import Type, { type Static } from 'typebox';
import type { Evidence, Status } from '../../consensus/core.ts';
import { publicKeyText } from '../../ledger/crypto/keys.ts';
import { err, ok } from '../../ledger/types/errors.ts';
import type { PublicKey } from '../../ledger/types/ids.ts';
import { badCursor, cursorOf, PAGE_ITEMS_DEFAULT, page, pageParams, positionOf } from './cursor.ts';
import { type Method, method } from './method.ts';
import type { NodeReader, PeerRecord } from './ports.ts';
import { timeOf, toBase64 } from './presentation.ts';
import { base64Text, countNumber, heightNumber, keyText, nullable, oneOf, timeText } from './schemas.ts';

const consensusObject = Type.Object({
  height: heightNumber,
  view: countNumber,
  phase: Type.String(),
  leader: nullable(keyText),
  missing: Type.Array(keyText),
  voting: Type.Boolean(),
  viewChanges: countNumber,
  equivocations: countNumber,
  held: countNumber,
});

const peerObject = Type.Object({
  nodeKey: keyText,
  address: Type.String(),
  direction: oneOf('inbound', 'outbound'),
  validatorKey: nullable(keyText),
  height: nullable(heightNumber),
  connectedAt: timeText,
});

const statement = Type.Object({ signed: base64Text, signature: base64Text });

const evidenceObject = Type.Object({
  offender: keyText,
  height: heightNumber,
  view: countNumber,
  phase: Type.String(),
  first: statement,
  second: statement,
});

const keyOrNull = (key: PublicKey | null): string | null => key && publicKeyText(key);

export function nodeMethods(node: NodeReader): Method[] {
  return [getInfo(node), getPeers(node), getEvidence(node)];
}

function presentConsensus(status: Status): Static<typeof consensusObject> {
  return { ...status, leader: keyOrNull(status.leader), missing: status.missing.map(publicKeyText) };
}

function getInfo(node: NodeReader): Method {
  return method({
    name: 'node_getInfo',
    summary: 'Who this node is, and where its consensus engine stands.',
    params: {},
    result: Type.Object({
      nodeKey: keyText,
      validatorKey: nullable(keyText),
      version: Type.String(),
      protocolVersion: countNumber,
      startedAt: timeText,
      uncheckedSignatures: Type.Boolean(),
      consensus: consensusObject,
    }),
    handler() {
      const info = node.info();
      return ok({
        ...info,
        nodeKey: publicKeyText(info.nodeKey),
        validatorKey: keyOrNull(info.validatorKey),
        startedAt: timeOf(info.startedAt),
        consensus: presentConsensus(info.consensus),
      });
    },
  });
}

function presentPeer(peer: PeerRecord): Static<typeof peerObject> {
  return {
    ...peer,
    nodeKey: publicKeyText(peer.nodeKey),
    validatorKey: keyOrNull(peer.validatorKey),
    connectedAt: timeOf(peer.connectedAt),
  };
}

function getPeers(node: NodeReader): Method {
  return method({
    name: 'node_getPeers',
    summary: 'The nodes that this one is connected to, in order of their keys.',
    params: pageParams,
    result: page(peerObject),
    handler({ limit = PAGE_ITEMS_DEFAULT, cursor }) {
      const after = cursor === undefined ? '' : positionOf(cursor);
      if (after === null) return err(badCursor());
      const peers = node
        .peers()
        .toSorted((a, b) => (a.nodeKey < b.nodeKey ? -1 : 1))
        .filter(peer => peer.nodeKey > after);
      const items = peers.slice(0, limit);
      return ok({
        items: items.map(presentPeer),
        next: peers.length > items.length ? cursorOf(items.at(-1)!.nodeKey) : null,
      });
    },
  });
}

function presentEvidence({ offender, first, second, ...rest }: Evidence): Static<typeof evidenceObject> {
  const statementOf = ({ signed, signature }: Evidence['first']) => ({
    signed: toBase64(signed),
    signature: toBase64(signature),
  });
  return { ...rest, offender: publicKeyText(offender), first: statementOf(first), second: statementOf(second) };
}

function getEvidence(node: NodeReader): Method {
  return method({
    name: 'node_getEvidence',
    summary: 'Pairs of signed statements that no honest validator makes, as this node saw them; the oldest first.',
    params: pageParams,
    result: page(evidenceObject),
    handler({ limit = PAGE_ITEMS_DEFAULT, cursor }) {
      const position = cursor === undefined ? '0' : positionOf(cursor);
      if (position === null || !/^\d{1,9}$/.test(position)) return err(badCursor());
      const start = Number(position);
      const all = node.evidence();
      const items = all.slice(start, start + limit).map(presentEvidence);
      return ok({ items, next: start + items.length < all.length ? cursorOf(String(start + items.length)) : null });
    },
  });
}
