import { describe, expect, test } from 'vitest';
import { LoginAttempts } from '../../../src/http/login-attempts.ts';

function attempts() {
  let now = 0;
  const counted = new LoginAttempts(() => new Date(now));
  const fail = (ip: string, times: number): void => {
    for (let i = 0; i < times; i += 1) counted.countWrong(ip);
  };
  return { counted, fail, pass: (ms: number) => (now += ms) };
}

describe('wrong tokens', () => {
  test('ten a minute may be tried from one address, and another one is not held up', () => {
    const { counted, fail } = attempts();
    fail('192.0.2.1', 9);
    expect(counted.waitSeconds('192.0.2.1')).toBeUndefined();
    fail('192.0.2.1', 1);
    expect(counted.waitSeconds('192.0.2.1')).toBe(60);
    expect(counted.waitSeconds('192.0.2.2')).toBeUndefined();
  });

  test('the wait ends a minute after the first', () => {
    const { counted, fail, pass } = attempts();
    fail('192.0.2.1', 10);
    pass(59_500);
    expect(counted.waitSeconds('192.0.2.1')).toBe(1);
    pass(500);
    expect(counted.waitSeconds('192.0.2.1')).toBeUndefined();
    fail('192.0.2.1', 9);
    expect(counted.waitSeconds('192.0.2.1')).toBeUndefined();
  });

  test('all addresses of an IPv6 customer count as one', () => {
    const { counted, fail } = attempts();
    for (let i = 0; i < 10; i += 1) fail(`2001:db8:0:1::${i}`, 1);
    expect(counted.waitSeconds('2001:db8:0:1:ffff::1')).toBe(60);
    expect(counted.waitSeconds('2001:db8:0:2::1')).toBeUndefined();
    expect(counted.waitSeconds('::ffff:192.0.2.1')).toBeUndefined();
  });

  test('a flood of addresses does not fill the memory: the oldest is forgotten', () => {
    const { counted, fail } = attempts();
    fail('192.0.2.1', 10);
    for (let i = 0; i < 10_000; i += 1) fail(`10.${i >> 8}.${i & 255}.1`, 1);
    expect(counted.waitSeconds('192.0.2.1')).toBeUndefined();
  });
});
