/** As much of the two container files' languages as ours use; anything else throws. */

/** One instruction of a Dockerfile, such as `COPY . .`. */
export interface Instruction {
  readonly name: string;
  readonly text: string;
}

export interface Stage {
  readonly name: string;
  readonly base: string;
  readonly instructions: readonly Instruction[];
}

export function parseDockerfile(text: string): Stage[] {
  const stages: { name: string; base: string; instructions: Instruction[] }[] = [];
  for (const line of text.split('\n').filter(each => each.trim() !== '' && !each.startsWith('#'))) {
    const [, name, rest] = /^([A-Z]+) (\S.*)$/.exec(line) ?? refuse(line);
    if (name !== 'FROM') {
      stages.at(-1)!.instructions.push({ name: name!, text: rest! });
      continue;
    }
    const [, base, stage] = /^(\S+)(?: AS (\S+))?$/.exec(rest!) ?? refuse(line);
    stages.push({ name: stage ?? '', base: base!, instructions: [] });
  }
  return stages;
}

export type Yaml = string | null | Yaml[] | { [key: string]: Yaml };

interface Line {
  readonly indent: number;
  readonly text: string;
}

/** Block mappings and lists, plain scalars, JSON in one line, an anchor on a mapping, and `<<: *anchor`. */
export function parseYaml(text: string): Yaml {
  const lines = text
    .split('\n')
    .filter(each => each.trim() !== '' && !each.trim().startsWith('#'))
    .map((each): Line => ({ indent: each.search(/\S/), text: each.trim() }));
  return block(lines, new Map());
}

function block(lines: readonly Line[], anchors: Map<string, Yaml>): Yaml {
  const [first] = lines;
  if (first === undefined) return null;
  if (first.text.startsWith('- ')) return lines.map(({ text }) => scalar(/^- (.*)$/.exec(text)?.[1] ?? refuse(text)));
  const mapping: { [key: string]: Yaml } = {};
  for (let at = 0; at < lines.length; ) {
    const { indent, text } = lines[at]!;
    if (indent !== first.indent) refuse(text);
    const [, key, rest] = /^([\w.<-]+):(?: (.*))?$/.exec(text) ?? refuse(text);
    let end = at + 1;
    while (end < lines.length && lines[end]!.indent > indent) end++;
    const nested = lines.slice(at + 1, end);
    const anchor = /^&(\w+)$/.exec(rest ?? '')?.[1];
    if (key === '<<') Object.assign(mapping, anchors.get(rest!.slice(1)) ?? refuse(text));
    else mapping[key!] = rest === undefined || anchor !== undefined ? block(nested, anchors) : scalar(rest);
    if (anchor !== undefined) anchors.set(anchor, mapping[key!]!);
    at = end;
  }
  return mapping;
}

function scalar(text: string): Yaml {
  if (/^[["]/.test(text)) return JSON.parse(text);
  if (/^[&*!|>{"'%@`]/.test(text) || /: | #/.test(text)) refuse(text);
  return text;
}

function refuse(what: string): never {
  throw new Error(`not read here: ${what}`);
}
