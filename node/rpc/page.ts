/** The page at `GET /`: what a person who opens the address of a node wants to know first. Needs no script and no other file. */
import { hash } from 'node:crypto';
import { publicKeyText } from '../../ledger/crypto/keys.ts';
import type { ChainReader, StateReader } from './ports.ts';
import { timeOf } from './presentation.ts';
import { validatorsAt } from './validator.ts';

const STYLE = `
:root { color-scheme: light dark; --ink: #16202b; --soft: #5b6b7b; --line: #d9e0e7; --paper: #fbfcfd; --card: #fff; --mark: #0b6e6e; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8edf2; --soft: #93a3b3; --line: #2a3642; --paper: #10161d; --card: #171f28; --mark: #4fc3b8; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 56rem; margin: 0 auto; padding: 3rem 1.25rem; }
h1 { margin: 0; font-size: 1.4rem; letter-spacing: -0.01em; }
h2 { margin: 2.5rem 0 0.75rem; font-size: 0.8rem; text-transform: uppercase; letter-spacing: 0.08em; color: var(--soft); }
p { margin: 0.25rem 0 0; color: var(--soft); }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: 0.75rem; margin: 1.75rem 0 0; }
dl div { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 0.9rem 1rem; }
dt { font-size: 0.8rem; color: var(--soft); }
dd { margin: 0.15rem 0 0; font-size: 1.35rem; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
dd.word { font-size: 1rem; padding-top: 0.3rem; }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: 0.6rem 1rem; text-align: left; border-top: 1px solid var(--line); white-space: nowrap; }
thead th { border-top: 0; font-size: 0.8rem; font-weight: 500; color: var(--soft); }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
code { font: 0.85em/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
a { color: var(--mark); }
ul { margin: 0; padding: 0; list-style: none; display: flex; flex-wrap: wrap; gap: 0.5rem 1.5rem; }
`;

/** For the page's security policy: this style and nothing else may be applied to it. */
export const STYLE_HASH = `'sha256-${hash('sha256', STYLE, 'base64')}'`;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escaped = (text: string): string => text.replace(/[&<>"']/g, character => ENTITIES[character]!);

const figure = (name: string, value: string | number, word = false): string =>
  `<div><dt>${name}</dt><dd${word ? ' class="word"' : ''}>${escaped(String(value))}</dd></div>`;

export function statusPage(chain: ChainReader, state: StateReader, version: string): string {
  const status = chain.status();
  const rows = validatorsAt(state.at(state.range().newest)).map(
    ({ name, member, power, key }) =>
      `<tr><td>${escaped(name)}</td><td>${escaped(member)}</td><td class="number">${power}</td>` +
      `<td><code>${publicKeyText(key)}</code></td></tr>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(status.chainId)} · Quorate</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escaped(status.chainId)}</h1>
<p>A node of this network, as of ${timeOf(status.time)}. Reload for the latest.</p>
<dl>
${figure('Final height', status.finalHeight)}
${figure('Validators', status.validators)}
${figure('Engine', status.engine, true)}
${figure('State', status.syncing ? `syncing, ${status.blocksBehind} behind` : 'in sync', true)}
</dl>
<h2>Head</h2>
<p><code>${status.head}</code></p>
<h2>Validators</h2>
<div class="scroll"><table>
<thead><tr><th>Name</th><th>Member</th><th>Power</th><th>Key</th></tr></thead>
<tbody>${rows.join('\n')}</tbody>
</table></div>
<h2>Genesis</h2>
<p><code>${status.genesisId}</code></p>
<h2>For programs</h2>
<ul>
<li><a href="/health/ready">Readiness</a></li>
<li><a href="/health/live">Liveness</a></li>
<li><a href="/version">Version</a></li>
<li>JSON-RPC 2.0 at <code>POST /</code></li>
</ul>
<p>Quorate ${escaped(version)}</p>
</main>
</body>
</html>
`;
}
