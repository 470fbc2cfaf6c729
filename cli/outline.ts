/** Any answer of a node as indented text: names and values, lists with a dash. */
import { printable } from './output.ts';

export function outline(value: unknown): string {
  return lines(value, '').join('\n');
}

function lines(value: unknown, indent: string): string[] {
  if (Array.isArray(value)) return value.flatMap(item => listItem(item, indent));
  if (!isObject(value)) return [indent + scalar(value)];
  const entries = Object.entries(value);
  const flat = entries.filter(([, each]) => !isNested(each)).map(([name]) => name.length);
  const width = Math.max(0, ...flat);
  return entries.flatMap(([name, each]) =>
    isNested(each)
      ? [`${indent}${printable(name)}`, ...lines(each, `${indent}  `)]
      : [`${indent}${printable(name).padEnd(width)}  ${scalar(each)}`],
  );
}

function listItem(value: unknown, indent: string): string[] {
  if (!isNested(value)) return [`${indent}- ${scalar(value)}`];
  const [first = '', ...rest] = lines(value, `${indent}  `);
  return [`${indent}- ${first.slice(indent.length + 2)}`, ...rest];
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

const isNested = (value: unknown): boolean => isObject(value) && Object.keys(value).length > 0;

function scalar(value: unknown): string {
  if (value === null || value === undefined) return '-';
  if (isObject(value)) return 'none';
  return printable(String(value));
}
