import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createEventReader, parseTextDiagnostics } from '../../../../workers/steps/terraform-events.ts';

function follow(...events: readonly unknown[]) {
  const lines: string[] = [];
  let progress = 0;
  const reader = createEventReader(
    (line) => lines.push(line),
    () => progress++,
  );
  for (const event of events) reader.read(typeof event === 'string' ? event : JSON.stringify(event));
  return { reader, lines, progress };
}

describe('createEventReader', () => {
  test('counts what is refreshed and applied, and shows the messages', () => {
    const hook = { resource: { addr: 'a.b' } };
    const { reader, lines, progress } = follow(
      { type: 'version', '@message': 'Terraform 1.11.4' },
      { type: 'refresh_start', '@message': 'refreshing', hook },
      { type: 'refresh_complete', '@message': 'refreshed', hook },
      { type: 'apply_complete', '@message': 'two\nlines', hook },
      { type: 'change_summary', '@message': 'Plan', changes: { add: 9, change: 9, remove: 9, operation: 'plan' } },
      { type: 'change_summary', '@message': 'Applied', changes: { add: 1, change: 2, remove: 3, operation: 'apply' } },
    );
    expect(reader).toMatchObject({ refreshed: 1, applied: 1, summary: { add: 1, change: 2, destroy: 3 } });
    expect(lines).toEqual(['refreshing', 'refreshed', 'two', 'lines', 'Plan', 'Applied']);
    expect(progress).toBe(2);
  });

  test('keeps diagnostics with their place', () => {
    const range = { filename: 'main.tf', start: { line: 12 } };
    const diagnostic = { severity: 'error', summary: 'No', detail: 'why\n\nbecause', address: 'a.b', range };
    const { reader, lines } = follow({ type: 'diagnostic', '@message': 'Error: No', diagnostic });
    expect(reader.diagnostics).toEqual([
      { severity: 'error', summary: 'No', detail: 'why\n\nbecause', address: 'a.b', location: 'main.tf:12' },
    ]);
    expect(lines).toEqual(['Error: No', '  with a.b, on main.tf:12', '  why', '  because']);
  });

  test('what is no event is shown as it is, and nothing breaks it', () => {
    expect(follow('plain', '{broken', '{"type": 5}', '{}').lines).toEqual(['plain', '{broken', '{"type": 5}', '{}']);
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (line) => void follow(line)));
  });

  test('does not collect for ever', () => {
    const one = { type: 'diagnostic', diagnostic: { severity: 'warning', summary: 'w' } };
    expect(follow(...Array.from({ length: 500 }, () => one)).reader.diagnostics).toHaveLength(200);
  });
});

test('parseTextDiagnostics reads framed and plain errors', () => {
  const text =
    '╷\n│ Warning: Old\n│ \n│   on main.tf line 3, in terraform:\n│    3:   x\n│ \n│ Use new.\n╵\nError: Bad\n\nVery bad.\n';
  const [first, second] = parseTextDiagnostics(text);
  expect(first).toMatchObject({ severity: 'warning', summary: 'Old', location: 'main.tf:3' });
  expect(second).toMatchObject({ severity: 'error', summary: 'Bad', detail: 'Very bad.', location: undefined });
  expect(parseTextDiagnostics('all is well')).toEqual([]);
});
