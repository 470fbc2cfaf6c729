/** Runs what the files in docker/ say, command by command, with a container's paths, ports and names mapped to this machine's. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { choosePorts, type NodePorts } from '../../cli/network/ports.ts';
import { parseDockerfile, parseYaml } from './container-files.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (name: string) => readFileSync(join(ROOT, 'docker', name), 'utf8');
const stages = parseDockerfile(read('Dockerfile'));
const image = stages.at(-1)!;

interface Service {
  readonly image: string;
  readonly build: { readonly context: string; readonly dockerfile: string };
  readonly volumes: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
}
const compose = parseYaml(read('compose.yaml')) as unknown as {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, null>>;
};
const { create, ...nodes } = compose.services;
const names = Object.keys(nodes);

/** The text of the only instruction of this name. */
function only(name: string): string {
  const found = image.instructions.filter(each => each.name === name);
  expect(found, name).toHaveLength(1);
  return found[0]!.text;
}

const entrypoint = JSON.parse(only('ENTRYPOINT')) as string[];
const startCommand = JSON.parse(only('CMD')) as string[];
const healthcheck = JSON.parse(/ CMD (\[.*\])$/.exec(only('HEALTHCHECK'))![1]!) as string[];
const imageEnvironment = Object.fromEntries(
  image.instructions.filter(each => each.name === 'ENV').map(each => each.text.split('=') as [string, string]),
);

let work: string;
let ports: ReadonlyMap<string, NodePorts>;
const running = new Map<string, ChildProcess>();

/** A path in the container, as it is here. */
const here = (text: string): string => text.replaceAll(/(?<!\S)\/(quorate|var\/lib\/quorate|source)\b/g, `${work}/$1`);

/** The port of this machine that stands for a container's. */
function portOf(name: string, port: string): number {
  const own = ports.get(name);
  return (own && { 7400: own.peer, 7401: own.rpc, 7402: own.metrics }[port]) ?? Number(port);
}

/** The environment of a container, with what only it can have replaced by this machine's: addresses, ports and names. */
function environmentOf(name: string): Record<string, string> {
  const entries = Object.entries({ ...imageEnvironment, ...compose.services[name]!.environment });
  return Object.fromEntries(
    entries.map(([key, value]) => [
      key,
      here(value)
        .replace(/^0\.0\.0\.0:(\d+)$/, (_, port) => `127.0.0.1:${portOf(name, port)}`)
        .replaceAll(/\/dns4\/(\w+)\/tcp\/(\d+)/g, (_, peer, port) => `/dns4/localhost/tcp/${portOf(peer, port)}`),
    ]),
  );
}

const ownEnvironment = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith('QUORATE_')));

function startContainer(name: string, command: readonly string[]): ChildProcess {
  const [program, ...args] = [...entrypoint, ...command].map(here);
  expect(program).toBe('node');
  return spawn(process.execPath, args, {
    cwd: here(only('WORKDIR')),
    env: { ...ownEnvironment, ...environmentOf(name) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function ended(child: ChildProcess): Promise<{ readonly code: number | null; readonly output: string }> {
  let output = '';
  for (const stream of [child.stdout!, child.stderr!]) stream.setEncoding('utf8').on('data', text => (output += text));
  const code = await new Promise<number | null>(resolve => child.once('close', resolve));
  return { code, output };
}

function isHealthy(name: string): boolean {
  const [program, ...args] = healthcheck;
  expect(program).toBe('node');
  const own = args.map(each => each.replace('127.0.0.1:7401', `127.0.0.1:${portOf(name, '7401')}`));
  return spawnSync(process.execPath, own, { env: ownEnvironment }).status === 0;
}

const statusUnder = (port: number, host: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const headers = { host: `${host}:7401` };
    get({ host: '127.0.0.1', port, path: '/version', headers }, answer => {
      answer.resume();
      resolve(answer.statusCode);
    }).on('error', reject);
  });

beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), 'quorate-docker-'));
  const chosen = await choosePorts(0, names.length);
  ports = new Map(names.map((name, i) => [name, chosen[i]!]));
  buildImage();
}, 300_000);

afterAll(() => {
  for (const child of running.values()) child.kill('SIGKILL');
  rmSync(work, { recursive: true, force: true });
});

/** What the build context holds: everything but what the ignore file names. */
function copyContext(target: string): void {
  const ignored = read('Dockerfile.dockerignore').trim().split('\n');
  cpSync(ROOT, target, { recursive: true, filter: path => !ignored.includes(relative(ROOT, path)) });
}

/** Each stage in turn. Packages are not installed again: those of this checkout stand where `npm ci` puts them. */
function buildImage(): void {
  const roots = new Map<string, string>();
  for (const stage of stages) {
    const directory = stage === image ? work : join(work, `stage-${stage.name}`);
    roots.set(stage.name, directory);
    let cwd = '/';
    for (const { name, text } of stage.instructions) {
      const at = join(directory, cwd);
      mkdirSync(at, { recursive: true });
      if (name === 'WORKDIR') cwd = text;
      else if (name === 'COPY') copy(text, at, directory, roots);
      else if (name === 'RUN') execute(text, at, directory);
    }
  }
}

function execute(command: string, at: string, directory: string): void {
  const [program, ...args] = command.split(' ');
  if (/^npm ci( --omit=dev)?$/.test(command)) {
    for (const file of ['package.json', 'package-lock.json', '.npmrc']) expect(existsSync(join(at, file))).toBe(true);
    symlinkSync(join(ROOT, 'node_modules'), join(at, 'node_modules'));
  } else if (program === 'npm') {
    execFileSync(program, args, { cwd: at, stdio: 'pipe' });
  } else {
    // There is no user of that name here.
    const own = args.filter(each => !/^--(owner|group)=node$/.test(each));
    execFileSync(
      program!,
      own.map(each => (each.startsWith('/') ? join(directory, each) : each)),
    );
  }
}

function copy(text: string, at: string, directory: string, roots: ReadonlyMap<string, string>): void {
  const words = text.split(' ');
  const from = /^--from=(\w+)$/.exec(words[0]!)?.[1];
  const target = words.at(-1)!;
  if (from !== undefined) {
    const source = join(roots.get(from)!, words[1]!);
    expect(existsSync(source), source).toBe(true);
    cpSync(source, join(directory, target), { recursive: true, verbatimSymlinks: true });
    return;
  }
  for (const source of words.slice(0, -1)) {
    if (source === '.') copyContext(at);
    else cpSync(join(ROOT, source), join(at, target, basename(source)));
  }
}

it('names only stages, services, volumes and ports that there are', () => {
  expect(stages.map(each => each.base)).toEqual(Array(3).fill('node:24-slim'));
  expect(only('USER')).toBe('node');
  const exposed = only('EXPOSE').split(' ');
  for (const [name, service] of Object.entries(compose.services)) {
    expect(existsSync(join(ROOT, 'docker', service.build.context, service.build.dockerfile)), name).toBe(true);
    for (const volume of service.volumes) expect(Object.keys(compose.volumes)).toContain(volume.split(':')[0]);
    for (const port of service.ports ?? []) expect(exposed).toContain(port.split(':').at(-1));
    const peers = service.environment?.QUORATE_NETWORK_PEERS?.split(',') ?? [];
    expect(peers).toEqual(
      name in nodes ? names.filter(each => each !== name).map(each => `/dns4/${each}/tcp/7400`) : [],
    );
  }
});

it('publishes every port once, on loopback', () => {
  const published = Object.values(nodes).flatMap(each => each.ports ?? []);
  expect(published.every(each => each.startsWith('127.0.0.1:'))).toBe(true);
  expect(new Set(published.map(each => each.split(':')[1])).size).toBe(2 * names.length);
});

it('refuses to start a node before there is a network, and says what to do', async () => {
  const { code, output } = await ended(startContainer('node0', startCommand));
  expect(code).toBe(1);
  expect(output).toMatch(/^error: HOME_MISSING: .*network create/m);
  expect(isHealthy('node0')).toBe(false);
});

it('creates a network once, and starts four validators that find each other by name', async () => {
  const made = await ended(startContainer('create', create!.command!));
  expect(made.code, made.output).toBe(0);
  expect(made.output).toMatch(/passphrase/);
  const again = await ended(startContainer('create', create!.command!));
  expect(again.output).toMatch(/^error: NETWORK_EXISTS: /m);

  const ends = names.map(name => {
    const child = startContainer(name, startCommand);
    running.set(name, child);
    return ended(child);
  });
  for (const deadline = Date.now() + 120_000; !names.every(isHealthy); await sleep(250))
    expect(Date.now(), 'healthy in time').toBeLessThan(deadline);

  for (const name of names) {
    const rpc = portOf(name, '7401');
    const args = [...entrypoint, 'node', 'status', '--rpc', `http://127.0.0.1:${rpc}`, '--json'].map(here).slice(1);
    const peers = (): readonly unknown[] =>
      JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', env: ownEnvironment })).peers;
    // Healthy is who reaches a quorum; the others follow.
    for (const deadline = Date.now() + 30_000; peers().length < names.length - 1; await sleep(250))
      expect(Date.now(), `${name} finds everyone in time`).toBeLessThan(deadline);
    expect(await statusUnder(rpc, name)).toBe(200);
    expect(await statusUnder(rpc, 'elsewhere.example')).toBe(403);
    expect((await fetch(`http://127.0.0.1:${portOf(name, '7402')}/metrics`)).status).toBe(200);
  }

  for (const child of running.values()) child.kill('SIGTERM');
  for (const { code, output } of await Promise.all(ends)) expect(code, output).toBe(0);
}, 300_000);
