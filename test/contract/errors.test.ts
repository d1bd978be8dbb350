import { ERRORS, type ErrorCode, errorForExitCode, sentence, VerenError } from '../../contract/errors.ts';

const rows = Object.entries(ERRORS) as [ErrorCode, (typeof ERRORS)[ErrorCode]][];

describe('the error table', () => {
  it.each(rows)('%s says what was wrong and what to do', (code, row) => {
    const names = [...`${row.message} ${row.action}`.matchAll(/\{(\w+)\}/g)].map((m) => m[1] as string);
    const text = sentence(code, Object.fromEntries(names.map((name) => [name, `<${name}>`])));
    expect(text).not.toMatch(/\{\w+\}/);
    for (const name of names) expect(text).toContain(`<${name}>`);
    expect(text.endsWith('.') || text.endsWith('>')).toBe(true);
    expect(row.message.split(' ').length).toBeGreaterThan(2);
  });

  it('has every exit code once, and finds its row', () => {
    const codes = rows.flatMap(([, row]) => row.exitCode ?? []);
    expect(new Set(codes).size).toBe(codes.length);
    for (const [code, row] of rows) if (row.exitCode !== undefined) expect(errorForExitCode(row.exitCode)).toBe(code);
    expect(errorForExitCode(0)).toBeUndefined();
  });

  it('keeps what is no placeholder, and ends a reason with a full stop', () => {
    const error = new VerenError('GIT_FAILED', { url: 'https://h/{x}', reason: 'no such host' });
    expect(error.message).toMatch(/^git could not read https:\/\/h\/\{x\}: no such host\. Try again/);
    expect(error.row.fault).toBe('transient');
  });
});
