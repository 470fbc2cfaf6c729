import { describe, expect, it } from 'vitest';
import { createLog } from '../../node/log.ts';

function capture(level = 'info') {
  const lines: string[] = [];
  const log = createLog({ level, destination: { write: line => lines.push(line) } });
  return { log, lines, last: () => JSON.parse(lines.at(-1)!) };
}

describe('the log', () => {
  it('is one JSON object a line, with level, time and message', () => {
    const { log, last } = capture();
    log.warn({ height: 7 }, 'late');
    expect(last()).toMatchObject({ level: 'warn', height: 7, msg: 'late' });
    expect(last().time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  it('gives nobody a line of his own', () => {
    const { log, lines, last } = capture();
    const forged = 'x\n{"level":"error","msg":"forged"}\r\u2028\u001b[2J';
    log.info({ from: forged }, 'a peer said');
    expect(lines).toHaveLength(1);
    for (const control of ['\n', '\r', '\u001b']) expect(lines[0]!.trimEnd()).not.toContain(control);
    expect(last().from).toBe(forged);
  });

  it('leaves out what is below its level', () => {
    const { log, lines } = capture('warn');
    log.debug({}, 'no');
    log.info({}, 'no');
    log.error({}, 'yes');
    expect(lines).toHaveLength(1);
  });

  it('tells an error with its code and stack, and takes big integers', () => {
    const { log, last } = capture();
    log.error({ error: Object.assign(new Error('broken'), { code: 'DISK_FULL' }), amount: 10n ** 20n }, 'stopped');
    expect(last()).toMatchObject({ error: { message: 'broken', code: 'DISK_FULL' }, amount: 1e20 });
    expect(last().error.stack).toContain('log.test.ts');
  });

  it.each(['secret', 'secretKey', 'seed', 'passphrase', 'mnemonic', 'password'])('never writes a %s', name => {
    const { log, lines } = capture();
    log.info({ [name]: 'hunter2', config: { [name]: 'hunter2' } }, 'starting');
    expect(lines[0]).not.toContain('hunter2');
  });
});
