import { describe, expect, test } from 'vitest';
import { LONGEST_LINE, OutputCapture, type OutputStream } from '../../../src/lib/output-capture.ts';

function captured(limit: number, chunks: readonly (readonly [OutputStream, string | Buffer])[]) {
  const lines: string[] = [];
  const capture = new OutputCapture(limit, (line, stream) => lines.push(`${stream}: ${line}`));
  for (const [stream, chunk] of chunks) capture.write(stream, Buffer.from(chunk));
  return { ...capture.end(), lines };
}

describe('OutputCapture', () => {
  test('joins a line that comes in pieces, also when a piece ends within a character', () => {
    const euro = Buffer.from('€');
    const result = captured(100, [
      ['stdout', 'pri'],
      ['stdout', 'ce '],
      ['stdout', euro.subarray(0, 1)],
      ['stderr', 'other\n'],
      ['stdout', euro.subarray(1)],
      ['stdout', '\r\nend'],
    ]);
    expect(result.lines).toEqual(['stderr: other', 'stdout: price €', 'stdout: end']);
    expect(result).toMatchObject({ stdout: 'price €\r\nend', stderr: 'other\n', truncated: false });
  });

  test('counts both streams together, in bytes, and tells when something was dropped', () => {
    const exact = captured(6, [
      ['stdout', 'abc'],
      ['stderr', 'def'],
    ]);
    expect(exact).toMatchObject({ stdout: 'abc', stderr: 'def', truncated: false });
    const over = captured(6, [
      ['stdout', 'abcd'],
      ['stderr', 'efgh'],
      ['stdout', 'ijkl'],
    ]);
    expect(over).toMatchObject({
      stdout: 'abcd',
      stderr: 'ef',
      truncated: true,
      lines: ['stdout: abcd', 'stderr: ef'],
    });
  });

  test('replaces invalid UTF-8 in the text and in the lines', () => {
    const result = captured(100, [['stdout', Buffer.from([0x61, 0xff, 0x0a])]]);
    expect(result.stdout).toBe('a\uFFFD\n');
    expect(result.lines).toEqual(['stdout: a\uFFFD']);
  });

  test('cuts a line that never ends, whether it comes at once or in pieces', () => {
    const long = 'x'.repeat(LONGEST_LINE * 2 + 5);
    const lengths = (lines: readonly string[]) => lines.map((line) => line.length - 'stdout: '.length);
    expect(lengths(captured(1e6, [['stdout', `${long}\n`]]).lines)).toEqual([LONGEST_LINE, LONGEST_LINE, 5]);
    const pieces = Array.from({ length: 3 }, () => ['stdout', 'x'.repeat(LONGEST_LINE - 1)] as const);
    expect(lengths(captured(1e6, pieces).lines)).toEqual([LONGEST_LINE, LONGEST_LINE, LONGEST_LINE - 3]);
  });

  test("a listener's mistake is thrown at the end and not in the middle of a stream", () => {
    const capture = new OutputCapture(100, () => {
      throw new Error('mistaken');
    });
    capture.write('stdout', Buffer.from('one\ntwo\n'));
    expect(() => capture.end()).toThrow('mistaken');
  });
});
