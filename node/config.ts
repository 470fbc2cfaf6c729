/**
 * `config.toml`: parsed strictly, completed from defaults, overridden by the environment. A key that is not known is refused
 * with the one that was meant: a setting that is silently ignored is worse than none.
 */
import { readFileSync } from 'node:fs';
import { parse, stringify, TomlError } from 'smol-toml';
import { err, type Fault, FaultError, ok, type Result } from '../ledger/types/errors.ts';
import { nearest } from '../ledger/types/nearest.ts';
import { VERIFY_WORKERS_MAX } from './limits.ts';
import { type Config, type ConfigValues, environmentName, type Setting, sections } from './settings.ts';

export type { Config, ConfigValues } from './settings.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const FILE_DEPTH_MAX = 8;
const PREFIX = 'QUORATE_';

/** The configuration in the file at `path`, which must be there. Throws a {@link FaultError}. */
export function loadConfig(path: string, environment: Environment): Config {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new FaultError(unreadable(path, error as NodeJS.ErrnoException));
  }
  const config = parseConfig(text, environment, path);
  if (!config.ok) throw new FaultError(config.error);
  return config.value;
}

function unreadable(path: string, error: NodeJS.ErrnoException): Fault {
  const missing = error.code === 'ENOENT';
  return {
    code: missing ? 'CONFIG_MISSING' : 'CONFIG_UNREADABLE',
    message: missing ? `there is no ${path}` : `${path} cannot be read: ${error.code}`,
    hint: missing
      ? 'point --home at the directory of a node, or make one with quorate network create'
      : 'check its permissions',
    data: { file: path },
  };
}

/** The configuration that `text` and the environment make together; the first fault in the order of the file. */
export function parseConfig(text: string, environment: Environment, file = 'config.toml'): Result<Config, Fault> {
  let document: Record<string, unknown>;
  try {
    document = parse(text, { unsafeKeyBehaviour: 'throw', maxDepth: FILE_DEPTH_MAX });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    return err(syntaxFault(error, file));
  }
  const known = checkNames(document, text, file) ?? checkEnvironment(environment);
  if (known) return err(known);

  const config: Record<string, Record<string, unknown>> = {};
  for (const [section, settings] of sections) {
    const written = (document[section] ?? {}) as Record<string, unknown>;
    config[section] = {};
    for (const [key, setting] of settings) {
      const value = settle(setting, section, key, written, environment);
      if (!value.ok) return err(locate(value.error, text, file, section, key));
      config[section][key] = value.value;
    }
  }
  return ok(config as unknown as Config);
}

function syntaxFault(error: TomlError, file: string): Fault {
  return {
    code: 'CONFIG_SYNTAX',
    message: `${file}, line ${error.line}: ${error.message.split('\n')[0]}`,
    hint: 'write it as TOML: [section], then key = value',
    data: { file, line: error.line },
  };
}

/** The first section or key that is not known. */
function checkNames(document: Record<string, unknown>, text: string, file: string): Fault | null {
  for (const [section, table] of Object.entries(document)) {
    const settings = sections.get(section);
    if (!settings) return unknownKey(section, sections.keys(), 'section', lineOf(text, section, null), file);
    if (typeof table !== 'object' || table === null || Array.isArray(table))
      return {
        code: 'CONFIG_BAD_VALUE',
        message: `${file}: ${section} is a section`,
        hint: `write [${section}], and its keys below`,
        data: { file, key: section },
      };
    for (const key of Object.keys(table))
      if (!settings.has(key))
        return unknownKey(key, settings.keys(), `key of [${section}]`, lineOf(text, section, key), file);
  }
  return null;
}

function unknownKey(name: string, known: Iterable<string>, what: string, line: number | null, file: string): Fault {
  const names = [...known];
  const meant = nearest(name, names);
  return {
    code: 'CONFIG_UNKNOWN_KEY',
    message: `${place(file, line)}: ${JSON.stringify(name)} is no ${what}`,
    hint: meant === null ? `known are: ${names.join(', ')}` : `did you mean ${meant}?`,
    data: { file, key: name, ...(line === null ? {} : { line }) },
  };
}

/** A variable that begins with the name of a section and is none of its keys: nobody set it to be ignored. */
function checkEnvironment(environment: Environment): Fault | null {
  const names = [...sections].flatMap(([section, settings]) =>
    [...settings.keys()].map(key => environmentName(section, key)),
  );
  const prefixes = [...sections.keys()].map(section => `${PREFIX}${section.toUpperCase()}_`);
  for (const name of Object.keys(environment)) {
    if (prefixes.some(prefix => name.startsWith(prefix)) && !names.includes(name))
      return unknownKey(name, names, 'setting', null, 'environment');
  }
  return null;
}

interface BadValue {
  readonly shown: string;
  readonly accepts: string;
  /** Where it was set instead of in the file. */
  readonly variable: string | null;
}

function settle(
  setting: Setting<unknown>,
  section: string,
  key: string,
  written: Record<string, unknown>,
  environment: Environment,
): Result<unknown, BadValue> {
  const variable = environmentName(section, key);
  const override = environment[variable];
  const given = override === undefined ? (written[key] ?? setting.initial) : setting.fromText(override);
  const read = setting.read(given);
  if (read) return ok(read.value);
  const shown = override ?? JSON.stringify(written[key]) ?? '';
  return err({
    shown: shown.slice(0, 80),
    accepts: setting.accepts,
    variable: override === undefined ? null : variable,
  });
}

function locate(
  { shown, accepts, variable }: BadValue,
  text: string,
  file: string,
  section: string,
  key: string,
): Fault {
  const line = variable === null ? lineOf(text, section, key) : null;
  const where = variable === null ? `${place(file, line)}: ${section}.${key}` : `environment: ${variable}`;
  return {
    code: 'CONFIG_BAD_VALUE',
    message: `${where} is ${shown}`,
    hint: `it must be ${accepts}`,
    data: {
      file: variable === null ? file : 'environment',
      key: `${section}.${key}`,
      ...(line === null ? {} : { line }),
    },
  };
}

const place = (file: string, line: number | null): string => (line === null ? file : `${file}, line ${line}`);

/** The line, from 1, on which a section or one of its keys is written; null where it is written in another way. */
function lineOf(text: string, section: string, key: string | null): number | null {
  let current = '';
  for (const [i, line] of text.split('\n').entries()) {
    const header = /^\s*\[\s*"?([^\]"]*?)"?\s*\]/.exec(line)?.[1];
    if (header !== undefined) current = header;
    if (key === null && header === section) return i + 1;
    const name = /^\s*"?([A-Za-z0-9_-]+)"?\s*[.=]/.exec(line)?.[1];
    if (key === null ? current === '' && name === section : current === section && name === key) return i + 1;
  }
  return null;
}

/** How many threads verify on so many cores: one core is left to the event loop, one to the database, files and the collector. */
export const verificationWorkers = (cores: number): number => Math.min(Math.max(cores - 2, 0), VERIFY_WORKERS_MAX);

/** The text of a `config.toml` with these settings, the others left to their defaults. They are checked first. */
export function configText(values: ConfigValues): string {
  const text = `${stringify(values)}\n`;
  const checked = parseConfig(text, {});
  if (!checked.ok) throw new FaultError(checked.error);
  return `# Settings of this node; docs/config.md has them all. Each can be set as QUORATE_SECTION_KEY, too.\n\n${text}`;
}
