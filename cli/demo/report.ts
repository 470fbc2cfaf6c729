/** The end of the demo as people read it. */
import { join, relative, resolve, sep } from 'node:path';
import { HOME_DEFAULT, RPC_URL_DEFAULT } from '../context.ts';
import { block, table } from '../output.ts';
import { tree } from '../supply/present.ts';
import { ALICE, BOB, ORGANISATIONS, organisationName, TOKEN } from './cast.ts';
import { RECALLED } from './chapters.ts';
import type { Recall, RecallLine } from './recall.ts';
import type { Story } from './scenario.ts';
import type { Stage } from './stage.ts';

const INDENT = '  ';

export function reportOf(stage: Stage, story: Story): string {
  const sections: readonly (readonly [title: string, body: string])[] = [
    ['Who holds what', holdingsText(story)],
    ['What became of apples A-0901', recallText(story.recall)],
    ['What the ledger refused', refusedText(story)],
    ['What alice paid bob', paymentText(story)],
    ['What proves it', proofText(stage, story)],
    ['What all nodes agree on', agreementText(story)],
    ['Open', urlsText(stage)],
    ['Try, in another terminal', linesToCopy(stage, story)],
  ];
  return sections.map(([title, body]) => `${title}\n\n${indented(body)}`).join('\n\n');
}

const indented = (text: string): string => text.replace(/^(?=.)/gm, INDENT);

function holdingsText({ holdings }: Story): string {
  const rows = ORGANISATIONS.flatMap(({ id, name }) => {
    const held = holdings.filter(each => each.member === id);
    if (held.length === 0) return [[name, 'nothing', '']];
    return held.map(({ kind, things }, i) => [i === 0 ? name : '', kind, things.join(', ')]);
  });
  return table(['', '', ''], rows).trimStart();
}

function recallText({ made, packed }: Recall): string {
  const depths = new Map<string, number>();
  for (const { id, because } of made) depths.set(id, because === null ? 0 : (depths.get(because) ?? 0) + 1);
  const widthOf = ({ id, label }: RecallLine) => 3 * depths.get(id)! + label.length;
  const width = Math.max(...made.map(widthOf)) + INDENT.length;
  const branches = made.map(line => ({
    id: line.id,
    parent: line.because,
    text: line.label + ' '.repeat(width - widthOf(line)) + line.where,
    more: [],
  }));
  const cartons = packed.map(({ label, where }) => [label, where]);
  return `${tree(branches)}\n\npacked in\n${indented(table(['', ''], cartons).trimStart())}`;
}

const refusedText = ({ mistake }: Story): string =>
  `${organisationName(mistake.member)} ${mistake.text}\n${mistake.code}: ${mistake.hint}\n${mistake.concerns}`;

const paymentText = ({ payment, balances }: Story): string =>
  block([
    ['paid', `${payment.amount} ${TOKEN.symbol}, final at height ${payment.height}`],
    ['left', `alice ${balances.alice}, bob ${balances.bob}`],
    ['id', payment.transaction],
  ]);

const proofText = (stage: Stage, { proof }: Story): string =>
  block([
    ['file', `${shown(proof.file)}, ${proof.bytes} bytes`],
    ['checked', 'valid: without a node, from that file and genesis.json alone'],
    ['height', proof.depth === null ? proof.height : `${proof.height}, ${proof.depth} blocks deep`],
    ['block', proof.block],
    ['genesis', stage.genesisId],
  ]);

function agreementText({ agreement: { height, nodes } }: Story): string {
  return block([
    ['nodes', nodes.map(each => each.name).join(', ')],
    ['height', height],
    ['block', nodes[0]!.block],
    ['state', nodes[0]!.stateRoot],
  ]);
}

function urlsText({ nodes }: Stage): string {
  const rows = nodes.map(({ name, rpcUrl }, i) => [rpcUrl, name, ORGANISATIONS[i]!.name]);
  return table(['', '', ''], rows).trimStart();
}

function linesToCopy({ home, nodes, passphrase, genesisFile }: Stage, { proof }: Story): string {
  const at = quoted(shown(home));
  const { rpcUrl } = nodes[0]!;
  const ownHome = home === resolve(HOME_DEFAULT) ? '' : ` --home ${at}`;
  const ownRpc = rpcUrl === RPC_URL_DEFAULT ? '' : ` --rpc ${rpcUrl}`;
  const lines: readonly (readonly [what: string, line: string])[] = [
    ['the passphrase of every wallet', `export QUORATE_PASSPHRASE=${passphrase}`],
    [
      'send tokens',
      `npx quorate wallet send ${ALICE.id} --to ${BOB.id} --amount 2.50 --token ${TOKEN.symbol}${ownHome}${ownRpc}`,
    ],
    ['kill a validator', `kill -9 $(cat ${quoted(join(shown(home), 'node2', 'node.pid'))})`],
    ['watch: three of four go on; send again', `npx quorate network status ${at}`],
    ['restart it: it catches up', `npx quorate network up ${at}`],
    ['check the proof', `npx quorate verify ${quoted(shown(proof.file))} --genesis ${quoted(shown(genesisFile))}`],
    ['ask for the recall', `npx quorate supply recall ${RECALLED}${ownRpc}`],
  ];
  return lines.map(([what, line]) => `# ${what}\n${line}`).join('\n');
}

/** As it is typed from here. */
function shown(path: string): string {
  const near = relative(process.cwd(), path);
  return near === '' || near.startsWith(`..${sep}`) || near === '..' ? path : near;
}

/** A word of a shell. */
const quoted = (text: string): string => (/^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
