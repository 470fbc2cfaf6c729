/** Curves as a picture: SVG by hand, of panels beside each other, readable on a light and on a dark page. */

export interface Series {
  /** Of a point, in the panel's unit. */
  readonly field: string;
  readonly name: string;
  /** What a value is divided by. */
  readonly per?: number;
}

export interface Panel {
  /** What is measured, with its unit. */
  readonly title: string;
  /** One or two; the values of the first are written beside its points. */
  readonly series: readonly Series[];
}

export interface Picture {
  readonly title: string;
  /** The field of a point that grows from left to right, and what it is called. */
  readonly x: { readonly field: string; readonly name: string; readonly isLogarithmic: boolean };
  readonly panels: readonly Panel[];
}

export type Point = Readonly<Record<string, unknown>>;

const PANEL = { width: 330, height: 250 };
const PLOT = { left: 52, right: 12, top: 52, bottom: 44 };
/** Between the axis and the first point, and after the last: its value is written above it. */
const INSET = 18;
const TITLE_HEIGHT = 30;
const TICKS = 4;
/** Colours that bear text on white and on black alike; a dark page gets lighter ones where the reader's program knows of it. */
const STYLE = `
text { font: 12px system-ui, sans-serif; fill: #57606a }
.title { font-size: 14px; font-weight: 600 }
.value, .name { fill: #0969da }
.name1 { fill: #bc4c00 }
.grid { stroke: #8c959f; stroke-opacity: .3 }
.line { fill: none; stroke: #0969da; stroke-width: 2 }
.line1 { stroke: #bc4c00; stroke-dasharray: 5 4 }
.point { fill: #0969da }
.point1 { fill: #bc4c00 }
@media (prefers-color-scheme: dark) {
text { fill: #9da7b3 }
.value, .name, .point { fill: #58a6ff }
.line { stroke: #58a6ff }
.name1, .point1 { fill: #f0883e }
.line1 { stroke: #f0883e }
}`;

/** The picture of points in ascending order of x, of which every field named is a number. */
export function svgOf({ title, x, panels }: Picture, points: readonly Point[]): string {
  const width = panels.length * PANEL.width;
  const height = TITLE_HEIGHT + PANEL.height;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<style>${STYLE}\n</style>`,
    text(8, 20, title, { class: 'title' }),
    ...panels.map((panel, i) => panelOf(panel, x, points, i * PANEL.width)),
    '</svg>\n',
  ].join('\n');
}

function panelOf({ title, series }: Panel, x: Picture['x'], points: readonly Point[], left: number): string {
  const xs = points.map(each => numberAt(each, x.field));
  const columns = series.map(({ field, per = 1 }) => points.map(each => numberAt(each, field) / per));
  const step = niceStep(Math.max(...columns.flat()) / TICKS);
  const top = step * Math.ceil(Math.max(...columns.flat()) / step);
  const [width, height] = [PANEL.width - PLOT.left - PLOT.right, PANEL.height - PLOT.top - PLOT.bottom];
  const scale = scaleOf(xs, x.isLogarithmic);
  const across = (value: number) => PLOT.left + INSET + (width - 2 * INSET) * scale(value);
  const down = (value: number) => PLOT.top + height * (1 - value / top);
  const parts = [text(8, 16, title)];
  let nameAt = 8;
  for (const [i, { name }] of series.entries()) {
    parts.push(text(nameAt, 34, `● ${name}`, { class: `name name${i}` }));
    nameAt += 28 + name.length * 7;
  }
  for (let value = 0; value <= top + step / 2; value += step) {
    const y = fixed(down(value));
    parts.push(`<path class="grid" d="M${PLOT.left} ${y}H${PLOT.left + width}"/>`);
    parts.push(text(PLOT.left - 6, Number(y) + 4, short(value), { anchor: 'end' }));
  }
  for (const value of xs) parts.push(text(across(value), PLOT.top + height + 18, short(value), { anchor: 'middle' }));
  parts.push(text(PLOT.left + width / 2, PLOT.top + height + 36, x.name, { anchor: 'middle' }));
  for (const [i, column] of columns.entries()) {
    const at = column.map((value, j) => [fixed(across(xs[j]!)), fixed(down(value))] as const);
    parts.push(`<polyline class="line line${i}" points="${at.map(each => each.join()).join(' ')}"/>`);
    for (const [cx, cy] of at) parts.push(`<circle class="point point${i}" cx="${cx}" cy="${cy}" r="3.5"/>`);
  }
  for (const [j, value] of columns[0]!.entries())
    parts.push(text(across(xs[j]!), down(value) - 9, short(value), { class: 'value', anchor: 'middle' }));
  return `<g transform="translate(${left} ${TITLE_HEIGHT})">\n${parts.join('\n')}\n</g>`;
}

function numberAt(point: Point, field: string): number {
  const value = point[field];
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new Error(`a point has no number ${field}`);
  return value;
}

/** From values to shares of the width, the least at 0 and the greatest at 1. */
export function scaleOf(values: readonly number[], isLogarithmic: boolean): (value: number) => number {
  const place = (value: number) => (isLogarithmic ? Math.log(value) : value);
  const least = place(Math.min(...values));
  const spread = place(Math.max(...values)) - least;
  return value => (spread === 0 ? 0.5 : (place(value) - least) / spread);
}

/** The least of 1, 2 and 5 times a power of ten that is not below `step`. */
export function niceStep(step: number): number {
  if (step <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(step));
  return power * ([1, 2, 5].find(each => each * power >= step) ?? 10);
}

/** With three figures at most: 12.3, 221, 1.02k, 16.4k, 1M. */
export function short(value: number): string {
  const [divisor, unit] = value >= 999_500 ? [1e6, 'M'] : value >= 10_000 ? [1e3, 'k'] : ([1, ''] as const);
  return `${Number((value / divisor).toPrecision(value >= 1_000 && divisor === 1 ? 4 : 3))}${unit}`;
}

const fixed = (value: number): string => String(Number(value.toFixed(1)));

const escaped = (words: string): string => words.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

function text(x: number, y: number, words: string, more: { class?: string; anchor?: 'middle' | 'end' } = {}): string {
  const attributes = `${more.class ? ` class="${more.class}"` : ''}${more.anchor ? ` text-anchor="${more.anchor}"` : ''}`;
  return `<text x="${fixed(x)}" y="${fixed(y)}"${attributes}>${escaped(words)}</text>`;
}
