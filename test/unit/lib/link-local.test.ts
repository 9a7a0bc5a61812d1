import { describe, expect, test } from 'vitest';
import type { LookupFunction } from 'node:net';
import { isLinkLocal, LinkLocalError, refuseLinkLocal } from '../../../src/lib/link-local.ts';

describe('an address', () => {
  test.each([
    '169.254.169.254',
    '169.254.0.1',
    '[fe80::1]',
    'fe80::1%eth0',
    '[febf::1]',
    '::ffff:169.254.169.254',
    '::ffff:a9fe:a9fe',
    '64:ff9b::a9fe:a9fe',
    'fd00:ec2::254',
    'fd20:ce::254',
    '100.100.100.200',
    '168.63.129.16',
    '192.0.0.192',
    new URL('http://2852039166/').hostname,
    new URL('http://0xa9.0xfe.0xa9.0xfe/').hostname,
    new URL('http://[::ffff:169.254.169.254]/').hostname,
  ])('%s is refused', (address) => {
    expect(isLinkLocal(address)).toBe(true);
  });

  test.each([
    '127.0.0.1',
    '10.0.0.1',
    '169.253.1.1',
    '[::1]',
    '::ffff:10.0.0.1',
    'fd00::1',
    'fec0::1',
    'example.com',
    '',
  ])('%s is not', (address) => {
    expect(isLinkLocal(address)).toBe(false);
  });
});

describe('a name', () => {
  const options = { all: true };
  const lookUp = (lookup: LookupFunction, name = 'hook.example') =>
    new Promise<unknown>((resolve, reject) => {
      refuseLinkLocal(lookup)(name, options, (error, found) => (error ? reject(error) : resolve(found)));
    });
  const answering =
    (found: Parameters<Parameters<LookupFunction>[2]>[1]): LookupFunction =>
    (_host, _options, callback) =>
      callback(null, found, 4);

  test('that is somewhere else is passed on as it was found', async () => {
    const found = [{ address: '10.0.0.1', family: 4 }];
    expect(await lookUp(answering(found))).toEqual(found);
    expect(await lookUp(answering('10.0.0.1'))).toBe('10.0.0.1');
  });

  test('one of whose addresses is link-local is refused as a whole', async () => {
    const found = [
      { address: '10.0.0.1', family: 4 },
      { address: '169.254.169.254', family: 4 },
    ];
    await expect(lookUp(answering(found))).rejects.toThrow(LinkLocalError);
    await expect(lookUp(answering('fe80::1'))).rejects.toThrow('hook.example is at a link-local address');
  });

  test('that is not found says what the lookup said', async () => {
    const failing: LookupFunction = (_host, _options, callback) => callback(new Error('ENOTFOUND'), '', 4);
    await expect(lookUp(failing)).rejects.toThrow('ENOTFOUND');
  });
});
