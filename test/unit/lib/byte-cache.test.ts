import { describe, expect, test } from 'vitest';
import { ByteCache } from '../../../src/lib/byte-cache.ts';

const ofTexts = (maxBytes: number) => new ByteCache<string>(maxBytes, (text) => text.length);

describe('a cache bounded by bytes', () => {
  test('forgets what was asked for longest ago, as many as it takes', () => {
    const cache = ofTexts(10);
    cache.set('a', '1234');
    cache.set('b', '1234');
    expect(cache.get('a')).toBe('1234');
    cache.set('c', '1234');
    expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual(['1234', undefined, '1234']);
    cache.set('d', '123456789');
    expect([cache.get('a'), cache.get('c'), cache.get('d')]).toEqual([undefined, undefined, '123456789']);
  });

  test('does not keep what is larger than all its room, and forgets nothing for it', () => {
    const cache = ofTexts(10);
    cache.set('a', '1234');
    cache.set('b', 'x'.repeat(11));
    expect([cache.get('a'), cache.get('b')]).toEqual(['1234', undefined]);
  });

  test('counts a value that is replaced once', () => {
    const cache = ofTexts(10);
    for (const value of ['1234', '5678', '9012']) cache.set('a', value);
    cache.set('b', '123456');
    expect([cache.get('a'), cache.get('b')]).toEqual(['9012', '123456']);
  });

  test('reads once for all who ask at once, and again after a failure', async () => {
    const cache = ofTexts(10);
    let reads = 0;
    const read = async () => {
      reads += 1;
      await Promise.resolve();
      if (reads === 1) throw new Error('away');
      return 'text';
    };
    const failed = await Promise.allSettled([cache.read('a', read), cache.read('a', read)]);
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await Promise.all([cache.read('a', read), cache.read('a', read)])).toEqual(['text', 'text']);
    expect(await cache.read('a', read)).toBe('text');
    expect(reads).toBe(2);
  });

  test('reads again after one that failed before it began', async () => {
    const cache = ofTexts(10);
    const broken = () => {
      throw new Error('no such key');
    };
    await expect(cache.read('a', broken)).rejects.toThrow('no such key');
    expect(await cache.read('a', async () => 'text')).toBe('text');
  });
});
