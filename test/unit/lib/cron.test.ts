import { describe, expect, test } from 'vitest';
import { compileCron, problemOfTimezone, shortestGap, type Cron } from '../../../src/lib/cron.ts';

function cron(expression: string, timezone = 'UTC'): Cron {
  const compiled = compileCron(expression, timezone);
  if ('problem' in compiled) throw new Error(compiled.problem);
  return compiled;
}

function times(expression: string, timezone: string, from: string, count: number): readonly (string | undefined)[] {
  const compiled = cron(expression, timezone);
  const found: (string | undefined)[] = [];
  for (let at: Date | undefined = new Date(from); found.length < count && at !== undefined; ) {
    at = compiled.next(at);
    found.push(at?.toISOString().replace(':00.000Z', 'Z'));
  }
  return found;
}

describe('changes of the clock', () => {
  test.each([
    // 29 March 2026: 02:00 becomes 03:00.
    [
      '30 2 * * *',
      'Europe/Berlin',
      '2026-03-28T00:00Z',
      ['2026-03-28T01:30Z', '2026-03-29T01:00Z', '2026-03-30T00:30Z'],
    ],
    [
      '0 * * * *',
      'Europe/Berlin',
      '2026-03-28T23:30Z',
      ['2026-03-29T00:00Z', '2026-03-29T01:00Z', '2026-03-29T02:00Z'],
    ],
    // 25 October 2026: 03:00 becomes 02:00.
    [
      '30 2 * * *',
      'Europe/Berlin',
      '2026-10-24T00:00Z',
      ['2026-10-24T00:30Z', '2026-10-25T00:30Z', '2026-10-26T01:30Z'],
    ],
    ['30 2 * * *', 'Europe/Berlin', '2026-10-25T00:45Z', ['2026-10-26T01:30Z']],
    [
      '0 * * * *',
      'Europe/Berlin',
      '2026-10-24T23:30Z',
      ['2026-10-25T00:00Z', '2026-10-25T01:00Z', '2026-10-25T02:00Z'],
    ],
    // Midnight itself is left out, and a change by half an hour.
    ['30 0 * * *', 'America/Havana', '2026-03-07T12:00Z', ['2026-03-08T05:00Z', '2026-03-09T04:30Z']],
    ['15 2 * * *', 'Australia/Lord_Howe', '2026-10-02T20:00Z', ['2026-10-03T15:30Z', '2026-10-04T15:15Z']],
    ['45 1 * * *', 'Australia/Lord_Howe', '2026-04-03T20:00Z', ['2026-04-04T14:45Z', '2026-04-05T15:15Z']],
  ])('%s in %s from %s', (expression, timezone, from, wanted) => {
    expect(times(expression, timezone, from, wanted.length)).toEqual(wanted);
  });

  test('a time is strictly after the instant, whatever its milliseconds', () => {
    const noon = cron('0 12 * * *');
    expect(noon.next(new Date('2026-01-01T11:59:59.999Z'))?.toISOString()).toBe('2026-01-01T12:00:00.000Z');
    expect(noon.next(new Date('2026-01-01T12:00:00.000Z'))?.toISOString()).toBe('2026-01-02T12:00:00.000Z');
    expect(noon.next(new Date('2026-01-01T12:00:00.001Z'))?.toISOString()).toBe('2026-01-02T12:00:00.000Z');
  });
});

describe('what is no expression', () => {
  test.each([
    '',
    '0 0 0 * * *',
    '* * * *',
    'soon',
    '0 24 * * *',
    '*/0 * * * *',
    '0 0 * * 8',
    '2026-12-01T00:00:00',
    '@reboot',
    '? ',
  ])('%j', (expression) => {
    const compiled = compileCron(expression, 'UTC');
    expect('problem' in compiled && compiled.problem).toMatch(/^not a cron expression such as "0 6 \* \* 1-5": ./);
  });

  test('too much text', () => {
    expect(compileCron(`${'0,'.repeat(50)}0 0 * * *`, 'UTC')).toEqual({
      problem: 'not a cron expression such as "0 6 * * 1-5": it has not five fields',
    });
  });

  test('blanks around it do no harm, and a word may stand for five fields', () => {
    expect(times(' 0 6 * * * ', 'UTC', '2026-01-01T00:00Z', 1)).toEqual(['2026-01-01T06:00Z']);
    expect(times('@daily', 'UTC', '2026-01-01T00:00Z', 1)).toEqual(['2026-01-02T00:00Z']);
  });
});

describe('time zones', () => {
  test.each(['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5', 'Asia/Calcutta'])('%s', (zone) => {
    expect(problemOfTimezone(zone)).toBeUndefined();
  });

  test.each([
    '',
    'EST',
    'CET',
    'GMT',
    '+02:00',
    'Berlin',
    'Europe/Atlantis',
    'Europe/',
    'Local/Time',
    'Europe/Berlin ',
  ])('not %j', (zone) => {
    const problem = `${JSON.stringify(zone)} is not an IANA time zone such as Europe/Berlin or UTC`;
    expect(problemOfTimezone(zone)).toBe(problem);
    expect(compileCron('0 0 * * *', zone)).toEqual({ problem });
  });

  test('a long name is not repeated whole', () => {
    expect(problemOfTimezone(`a/${'b'.repeat(10_000)}`)?.length).toBeLessThan(200);
  });
});

describe('the shortest gap', () => {
  const FROM = new Date('2026-01-01T00:07:00Z');

  test.each([
    ['* * * * *', 1],
    ['*/5 * * * *', 5],
    ['0,5,10,15,20,25,30,35,40,45,50,51 * * * *', 1],
    ['58,2 * * * *', 4],
    ['0 * * * *', 60],
    ['0,59 3 * * *', 59],
    ['0 0 * * *', 24 * 60],
  ])('%s: %i minutes', (expression, minutes) => expect(shortestGap(cron(expression), FROM)).toBe(minutes * 60_000));

  test('of what never comes, there is none', () => {
    expect(shortestGap(cron('0 0 30 2 *'), FROM)).toBeUndefined();
    expect(cron('0 0 30 2 *').next(FROM)).toBeUndefined();
  });
});
