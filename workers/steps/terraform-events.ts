import { z } from 'zod';
import type { Diagnostic } from '../../src/core/plan.ts';

const resource = z.looseObject({ addr: z.string() });
const diagnostic = z.looseObject({
  severity: z.enum(['error', 'warning']),
  summary: z.string(),
  detail: z.string().optional(),
  address: z.string().optional(),
  range: z.looseObject({ filename: z.string(), start: z.looseObject({ line: z.number() }) }).nullish(),
});
const event = z.looseObject({
  '@message': z.string().optional(),
  type: z.string(),
  hook: z.looseObject({ resource: resource.optional() }).optional(),
  diagnostic: diagnostic.optional(),
  changes: z.looseObject({ add: z.number(), change: z.number(), remove: z.number(), operation: z.string() }).optional(),
});

/** Far more than a person reads; a program that prints more is not worth the memory. */
const MAX_DIAGNOSTICS = 200;

export interface EventReader {
  /** Takes one line of a `-json` stream; anything that is no event is shown as it is. */
  read(line: string): void;
  readonly diagnostics: readonly Diagnostic[];
  /** Resources that were refreshed, or applied, so far. */
  readonly refreshed: number;
  readonly applied: number;
  /** What the last summary of an apply counted. */
  readonly summary: { readonly add: number; readonly change: number; readonly destroy: number } | undefined;
}

/**
 * Follows Terraform's machine-readable output ("Machine-Readable UI", ui 1.x). All of it is for display and progress: whatever runs
 * in the sandbox can print such lines too.
 */
export function createEventReader(onLine: (line: string) => void, onProgress: () => void): EventReader {
  const diagnostics: Diagnostic[] = [];
  const reader = {
    diagnostics,
    refreshed: 0,
    applied: 0,
    summary: undefined as EventReader['summary'],
    read(line: string) {
      const found = parseEvent(line);
      if (found === undefined) return onLine(line);
      if (found.diagnostic !== undefined) {
        const said = toDiagnostic(found.diagnostic);
        if (diagnostics.length < MAX_DIAGNOSTICS) diagnostics.push(said);
        for (const text of diagnosticLines(said)) onLine(text);
        return;
      }
      if (found.type === 'refresh_complete') reader.refreshed++;
      if (found.type === 'apply_complete') reader.applied++;
      if (found.type === 'change_summary' && found.changes?.operation !== 'plan') reader.summary = toCounts(found);
      if (found.type === 'refresh_complete' || found.type === 'apply_complete') onProgress();
      if (found.type !== 'version') for (const text of (found['@message'] ?? '').split('\n')) onLine(text);
    },
  };
  return reader;
}

type Event = z.infer<typeof event>;

function parseEvent(line: string): Event | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const parsed = event.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

function toDiagnostic(found: z.infer<typeof diagnostic>): Diagnostic {
  return {
    severity: found.severity,
    summary: found.summary,
    detail: found.detail ?? '',
    address: found.address,
    location: found.range ? `${found.range.filename}:${found.range.start.line}` : undefined,
  };
}

function toCounts({ changes }: Event): EventReader['summary'] {
  return changes === undefined ? undefined : { add: changes.add, change: changes.change, destroy: changes.remove };
}

/** As a person would have seen it in a terminal. */
export function diagnosticLines({ severity, summary, detail, address, location }: Diagnostic): readonly string[] {
  const places = [
    address === undefined ? undefined : `with ${address}`,
    location === undefined ? undefined : `on ${location}`,
  ];
  const place = places.filter((text) => text !== undefined).join(', ');
  const title = `${severity === 'error' ? 'Error' : 'Warning'}: ${summary}`;
  return [
    title,
    ...(place === '' ? [] : [`  ${place}`]),
    ...detail
      .split('\n')
      .filter(Boolean)
      .map((line) => `  ${line}`),
  ];
}

/** Diagnostics of commands that only print text: blocks that begin with `Error:` or `Warning:`, with or without Terraform's frame. */
export function parseTextDiagnostics(text: string): readonly Diagnostic[] {
  const found: { severity: Diagnostic['severity']; summary: string; detail: string[] }[] = [];
  for (const raw of text.split('\n')) {
    const line = raw.replace(/^[│╷╵]\s?/, '');
    const start = /^(Error|Warning): (.*)$/.exec(line);
    if (start)
      found.push({ severity: start[1] === 'Error' ? 'error' : 'warning', summary: start[2] ?? '', detail: [] });
    else found.at(-1)?.detail.push(line);
  }
  return found.slice(0, MAX_DIAGNOSTICS).map(({ severity, summary, detail }) => {
    const location = /^\s+on (\S+) line (\d+)/m.exec(detail.join('\n'));
    return {
      severity,
      summary: summary.trim(),
      detail: detail.join('\n').trim(),
      address: undefined,
      location: location === null ? undefined : `${location[1]}:${location[2]}`,
    };
  });
}
