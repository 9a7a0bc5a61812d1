import { expect, test } from 'vitest';
import { AccessToken } from '../../../src/http/access-token.ts';
import { Secret } from '../../../src/lib/secret.ts';

const DAY_MS = 24 * 3600_000;

function access(token = 'the-token') {
  let now = Date.parse('2026-11-21T12:00:00Z');
  return { token: new AccessToken(new Secret(token), () => new Date(now)), pass: (ms: number) => (now += ms) };
}

test('only the token itself matches', () => {
  const { token } = access();
  expect(token.matches('the-token')).toBe(true);
  for (const wrong of ['', 'the-toke', 'the-token ', 'THE-TOKEN']) expect(token.matches(wrong)).toBe(false);
});

test('a session lasts a week', () => {
  const { token, pass } = access();
  const { value, maxAgeSeconds } = token.createSession();
  expect(maxAgeSeconds).toBe((7 * DAY_MS) / 1_000);
  pass(7 * DAY_MS - 1);
  expect(token.readSession(value)).toMatchObject({ value, expiresAt: new Date('2026-11-28T12:00:00Z') });
  pass(1);
  expect(token.readSession(value)).toBeUndefined();
});

test('a session cannot be made up, prolonged, or taken to another token', () => {
  const { token } = access();
  const { value } = token.createSession();
  const [claim = '', mac = ''] = value.split('.');
  const later = claim.replace(/^\d+/, (expires) => String(Number(expires) + DAY_MS));
  for (const wrong of [
    undefined,
    '',
    '.',
    claim,
    `${later}.${mac}`,
    `${value}.`,
    `${value}x`,
    `9999999999999.${mac}`,
  ]) {
    expect(token.readSession(wrong)).toBeUndefined();
  }
  expect(access('another-token').token.readSession(value)).toBeUndefined();
});

test('every login is a session of its own, and its forms are worth nothing in another', () => {
  const { token } = access();
  const [one, two] = [token.createSession().value, token.createSession().value];
  expect(one).not.toBe(two);
  expect(token.isCsrfToken(one, token.csrfToken(one))).toBe(true);
  expect(token.isCsrfToken(two, token.csrfToken(one))).toBe(false);
  expect(token.isCsrfToken(one, '')).toBe(false);
});
