/** The worked example of docs/protocol.md, computed from its genesis and its secret keys. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { publicKeyOf, sign } from '#crypto';
import { operationOf, signTransaction } from '../../client/transaction.ts';
import { buildBlock } from '../../ledger/build.ts';
import { verifyCertificate } from '../../ledger/certificate.ts';
import { transactionSigningBytes } from '../../ledger/crypto/ids.ts';
import { accountAddress, publicKeyText } from '../../ledger/crypto/keys.ts';
import type { SecretKey } from '../../ledger/crypto/port.ts';
import { genesis as genesisCodec, genesisId } from '../../ledger/genesis.ts';
import { genesisBlock } from '../../ledger/genesis-block.ts';
import { parseGenesis } from '../../ledger/genesis-file.ts';
import { transfer } from '../../ledger/modules/tokens/transfer.ts';
import { address } from '../../ledger/types/address.ts';
import { block as blockCodec } from '../../ledger/types/block.ts';
import { EMPTY, toHex, utf8 } from '../../ledger/types/bytes.ts';
import { BYZANTINE_COMMIT, certificate as certificateCodec, votePayload } from '../../ledger/types/certificate.ts';
import { encode } from '../../ledger/types/codec.ts';
import { header as headerCodec } from '../../ledger/types/header.ts';
import { receipt as receiptCodec } from '../../ledger/types/receipt.ts';
import { encodeTransaction, leafOf, signatures, transactionBody } from '../../ledger/types/transaction.ts';

const document = readFileSync(join(import.meta.dirname, '../../docs/protocol.md'), 'utf8').split(
  '## A worked example',
)[1]!;

/** What the document says: hex of each block, comments left out, and each row of its tables. */
const blocks = Object.fromEntries(
  [...document.matchAll(/^```hex ([\w-]+)\n([\s\S]*?)^```$/gm)].map(([, name, text]) => [
    name!,
    text!.replace(/ {2}.*$/gm, '').replace(/\s/g, ''),
  ]),
);
const rows = Object.fromEntries(
  [...document.matchAll(/^\| ([^|]+) \| `([^`]+)` \|$/gm)].map(([, name, value]) => [name!, value!]),
);

const keyOf = (byte: number): SecretKey => ({ type: 'ed25519', secret: new Uint8Array(32).fill(byte) });
const [validator, alice, bob] = [keyOf(1), keyOf(2), keyOf(3)];

function compute() {
  const file = parseGenesis(utf8(/^```json\n([\s\S]*?)^```$/m.exec(document)![1]!));
  if (!file.ok) throw new Error(file.error.message);
  const genesis = file.value;
  const { chainId } = genesis;
  const [from, to] = [alice, bob].map(each => accountAddress(1, [publicKeyOf(each)])) as [never, never];
  const payload = { token: 'QRT', to, amount: 1250n };
  const transaction = signTransaction(
    {
      chainId,
      sender: from,
      validUntil: genesis.genesisTime + 300_000,
      salt: utf8('saltsalt'),
      after: null,
      operations: [operationOf(transfer, payload)],
    },
    [alice],
  );
  const origin = genesisBlock(genesis).state;
  const request = {
    parent: origin.id,
    time: genesis.genesisTime + 1_000,
    proposer: publicKeyOf(validator),
    seal: EMPTY,
  };
  const { block, executed, state } = buildBlock(
    { chainId, limits: genesis.limits },
    origin,
    { offer: take => void take(transaction) },
    request,
  );
  const commit = votePayload('quorate/pbft/commit/1', chainId, 1, 0, block.id);
  const certificate = {
    height: 1,
    block: block.id,
    view: 0,
    phase: 1,
    signatures: [{ index: 0, signature: sign(validator, commit) }],
  };
  expect(verifyCertificate(block.header, block.id, certificate, origin.validators, BYZANTINE_COMMIT)).toEqual({
    ok: true,
    value: undefined,
  });
  return {
    rows: {
      'key of the validator': publicKeyText(publicKeyOf(validator)),
      'key of the sender': publicKeyText(publicKeyOf(alice)),
      'key of the recipient': publicKeyText(publicKeyOf(bob)),
      'address of the sender': from,
      'address of the recipient': to,
      'genesis id': genesisId(genesis),
      'id of block 0': origin.id,
      'state root of block 0': origin.header.stateRoot,
      'transaction id': transaction.id,
      'leaf of the transactions root': toHex(leafOf(transaction)),
      'id of block 1': block.id,
    },
    blocks: {
      genesis: toHex(encode(genesisCodec, genesis)),
      sender: toHex(encode(address, from)),
      payload: toHex(encode(transfer.schema, payload)),
      body: toHex(encode(transactionBody, transaction.body)),
      'signed-by-the-sender': toHex(transactionSigningBytes(chainId, transaction.id)),
      signatures: toHex(encode(signatures, transaction.signatures)),
      receipt: toHex(encode(receiptCodec, executed.receipts[0]!)),
      header: toHex(encode(headerCodec, state.header)),
      'signed-by-the-validator': toHex(commit),
      certificate: toHex(encode(certificateCodec, certificate)),
    },
    whole: { transaction: toHex(encodeTransaction(transaction)), block: toHex(encode(blockCodec, block)) },
  };
}

test('every id and byte of the worked example is what the code makes', () => {
  const computed = compute();
  expect(rows).toEqual(computed.rows);
  expect(blocks).toEqual(computed.blocks);
});

test('a transaction is its body and its signatures, a block its header and the list of its transactions', () => {
  const { whole } = compute();
  expect(whole.transaction).toBe(`${blocks.body}${blocks.signatures}`);
  expect(whole.block).toBe(`${blocks.header}01${whole.transaction}`);
});
