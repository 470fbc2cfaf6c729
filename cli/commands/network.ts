import { type Command, Option } from 'commander';
import { randomBytes } from '../../client/entropy.ts';
import { encryptKeys } from '../../client/wallet/key-file.ts';
import { generateMnemonic } from '../../client/wallet/mnemonic.ts';
import { type Wallet, walletFromMnemonic } from '../../client/wallet/wallet.ts';
import { ENGINE_PARAMS, type Genesis } from '../../ledger/genesis.ts';
import { ROLES } from '../../ledger/modules/operation.ts';
import { toHex } from '../../ledger/types/bytes.ts';
import { FaultError } from '../../ledger/types/errors.ts';
import { ENGINE_NAMES, ownParamsOf } from '../../node/engines.ts';
import { contextOf } from '../context.ts';
import { type CreatedNetwork, createNetwork, type KeyFile, refuseExisting } from '../network/create.ts';
import { nodeHomes } from '../network/directory.ts';
import type { MemberPlan, NetworkPlan } from '../network/plan.ts';
import { stopNode } from '../network/process.ts';
import { withBonds } from '../network/staking.ts';
import { type NodeState, networkStatus } from '../network/status.ts';
import { networkUp } from '../network/up.ts';
import { block, type Output, type Progress, table } from '../output.ts';
import { integer, numbersOf } from '../parse.ts';
import { givenPassphrase, type PassphraseOptions } from '../passphrase.ts';

const VALIDATORS_MAX = 100;
const BASE_PORT = 7400;
/** What the treasury of a new network holds: a million of two decimals. */
const TREASURY_BASE_UNITS = 100_000_000n;

export function registerNetwork(program: Command): void {
  const network = program.command('network').description('a network of several nodes on this machine');
  registerCreate(network);
  network
    .command('up <dir>')
    .description('start every node that does not run, and wait until all are ready')
    .addHelpText('after', '\nExample:\n  quorate network up net')
    .action(async (directory: string, _options, command: Command) => up(directory, contextOf(command).output));
  network
    .command('down <dir>')
    .description('stop every node, and wait until all have ended')
    .addHelpText('after', '\nExample:\n  quorate network down net')
    .action(async (directory: string, _options, command: Command) => down(directory, contextOf(command).output));
  network
    .command('status <dir>')
    .description('where each node stands')
    .addHelpText('after', '\nExample:\n  quorate network status net')
    .action(async (directory: string, _options, command: Command) => {
      const nodes = await networkStatus(directory);
      contextOf(command).output.answer({ nodes }, () => statusTable(nodes));
    });
}

interface CreateOptions extends PassphraseOptions {
  readonly validators: number;
  readonly engine: string;
  readonly out: string;
  readonly basePort: number;
  readonly chainId?: string;
  readonly params?: readonly string[];
}

function registerCreate(network: Command): void {
  network
    .command('create')
    .description('write genesis, keys, settings and wallets of a new network; nothing is overwritten')
    .option('--validators <n>', 'how many nodes, each of its own member', integer(1, VALIDATORS_MAX), 4)
    .addOption(new Option('--engine <name>', 'how they agree').choices(ENGINE_NAMES).default('pbft'))
    .requiredOption('--out <dir>', 'the directory to make')
    .option(
      '--base-port <port>',
      'node i has this port + 10i and the two above; 0: free ones',
      integer(0, 65_535),
      BASE_PORT,
    )
    .option('--params <name=value...>', 'what differs from the parameters that its engine has otherwise')
    .option('--chain-id <id>', 'the name of the network; a random one unless given')
    .option('--passphrase-file <file>', 'with the passphrase of the wallets; a random one is printed unless given')
    .addHelpText('after', '\nExample:\n  quorate network create --validators 4 --engine pbft --out net')
    .action(async (options: CreateOptions, command: Command) => create(options, contextOf(command).output));
}

async function create(options: CreateOptions, output: Output): Promise<void> {
  const { validators, engine, basePort, out, chainId = `quorate-${toHex(randomBytes(4))}` } = options;
  const params = paramsFor(engine, options.params ?? []);
  refuseExisting(out);
  const given = givenPassphrase(options);
  const passphrase = given ?? generateMnemonic(randomBytes).split(' ').slice(0, 6).join(' ');
  const organisations: NamedWallet[] = [];
  for (let i = 0; i < validators; i++) organisations.push({ name: `org${i}`, wallet: await newWallet() });
  const treasury = { name: 'treasury', wallet: await newWallet() };
  const all = [...organisations, treasury];
  const plan = { ...planOf(chainId, engine, organisations, treasury), ...params };
  const created = await createNetwork(out, plan, {
    ...{ validators, basePort },
    wallets: () => keyFiles(all, passphrase, output.progress('Making wallets', all.length)),
  });
  const shown = given === null ? passphrase : null;
  output.answer(createdJson(created, all, shown), () => createdText(created, all, shown, out));
}

/** Those that all engines have, and the engine's own. */
function paramsFor(engine: string, texts: readonly string[]): Pick<NetworkPlan, 'params' | 'own'> {
  const common = Object.keys(ENGINE_PARAMS);
  const given = Object.entries(numbersOf(texts, [...common, ...Object.keys(ownParamsOf(engine))]));
  const some = (isCommon: boolean) => Object.fromEntries(given.filter(([name]) => common.includes(name) === isCommon));
  return { params: some(true), own: some(false) };
}

async function keyFiles(wallets: readonly NamedWallet[], passphrase: string, progress: Progress): Promise<KeyFile[]> {
  const files: KeyFile[] = [];
  try {
    for (const { name, wallet } of wallets) {
      files.push({ name, text: await encryptKeys(wallet, passphrase, randomBytes) });
      progress.update(files.length);
    }
    return files;
  } finally {
    progress.stop();
  }
}

async function newWallet(): Promise<Wallet> {
  const wallet = await walletFromMnemonic(generateMnemonic(randomBytes));
  if (!wallet.ok) throw new FaultError(wallet.error);
  return wallet.value;
}

/** Each organisation runs one validator and manages itself; the first one administers the network and keeps its treasury. */
function planOf(
  chainId: string,
  engine: string,
  organisations: readonly NamedWallet[],
  { wallet: treasury }: NamedWallet,
): NetworkPlan {
  const members = organisations.map(({ name, wallet }, i): MemberPlan => {
    const roles = ROLES.filter(role => role !== 'administer' || i === 0);
    const accounts = [{ keys: [wallet.publicKey], roles }];
    if (i === 0) accounts.push({ keys: [treasury.publicKey], roles: ['submit'] });
    return { id: name, name: `Organisation ${i}`, roles, accounts };
  });
  const token = { symbol: 'QRT', name: 'Quorate Token', decimals: 2, admins: [treasury.address] };
  const holders = [{ address: treasury.address, amount: TREASURY_BASE_UNITS }];
  const tokens = [{ ...token, holders }];
  return withBonds({ chainId, genesisTime: Date.now(), engine, members, tokens }, token.symbol);
}

type NamedWallet = { readonly name: string; readonly wallet: Wallet };

const createdJson = (created: CreatedNetwork, wallets: readonly NamedWallet[], passphrase: string | null) => ({
  directory: created.directory,
  chainId: created.genesis.chainId,
  genesisId: created.genesisId,
  engine: created.genesis.consensus.engine,
  params: allParams(created.genesis),
  limits: created.genesis.limits,
  nodes: created.nodes,
  wallets: wallets.map(({ name, wallet }) => ({ name, address: wallet.address })),
  passphrase,
});

const allParams = ({ consensus: { params, own } }: Genesis) => ({ ...params, ...own });

function createdText(
  { directory, genesis, genesisId, nodes }: CreatedNetwork,
  wallets: readonly NamedWallet[],
  passphrase: string | null,
  out: string,
): string {
  const parts = [
    block([
      ['network', genesis.chainId],
      ['genesis', genesisId],
      ['engine', `${genesis.consensus.engine} ${words(allParams(genesis))}`],
      ['limits', words(genesis.limits)],
      ['directory', directory],
    ]),
    table(
      ['node', 'peers', 'rpc', 'metrics'],
      nodes.map(({ name, ports }) => [name, ports.peer, `http://127.0.0.1:${ports.rpc}`, ports.metrics]),
    ),
    table(
      ['wallet', 'address'],
      wallets.map(({ name, wallet }) => [name, wallet.address]),
    ),
  ];
  if (passphrase !== null)
    parts.push(`The passphrase of these wallets, which is written down nowhere else:\n  ${passphrase}`);
  parts.push(`Start it:\n  quorate network up ${out}`);
  return parts.join('\n\n');
}

const words = (values: object): string =>
  Object.entries(values)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');

async function up(directory: string, output: Output): Promise<void> {
  const progress = output.progress('Waiting for nodes', nodeHomes(directory).length);
  try {
    const nodes = await networkUp(directory, ready => progress.update(ready));
    output.answer({ nodes }, () =>
      table(
        ['node', 'process', 'rpc', ''],
        nodes.map(({ name, pid, rpcUrl, before }) => [name, pid, rpcUrl, before ? 'ran already' : 'ready']),
      ),
    );
  } finally {
    progress.stop();
  }
}

async function down(directory: string, output: Output): Promise<void> {
  const nodes = await Promise.all(
    nodeHomes(directory).map(async ({ name, home }) => ({ name, outcome: await stopNode(home) })),
  );
  for (const { name, outcome } of nodes)
    if (outcome === 'killed') output.note(`warning: ${name} did not stop in time and was killed; its log is whole`);
  output.answer({ nodes }, () =>
    table(
      ['node', ''],
      nodes.map(({ name, outcome }) => [name, outcome]),
    ),
  );
}

function statusTable(nodes: readonly NodeState[]): string {
  return table(
    ['node', 'process', 'rpc', 'height', 'final', 'behind', ''],
    nodes.map(({ name, pid, rpcUrl, status }) => [
      name,
      pid ?? '-',
      rpcUrl,
      status?.height ?? '-',
      status?.finalHeight ?? '-',
      status?.blocksBehind ?? '-',
      status === null ? (pid === null ? 'stopped' : 'does not answer') : status.syncing ? 'syncing' : 'ready',
    ]),
  );
}
