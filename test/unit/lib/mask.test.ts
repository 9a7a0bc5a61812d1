import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createMasker } from '../../../src/lib/mask.ts';

const CANARY = 'c4n4ry/"v+l&e=$9';
const bytes = (text: string) => Buffer.from(text, 'utf8');

describe('a known value', () => {
  const masker = createMasker([CANARY]);

  test.each([
    ['a variable', `var.password is ${CANARY}!`],
    ['a sensitive attribute in HCL', `  + password = "${JSON.stringify(CANARY).slice(1, -1)}"`],
    ['JSON inside JSON', JSON.stringify(JSON.stringify({ password: CANARY }))],
    ["Go's JSON", `{"p":"${JSON.stringify(CANARY).slice(1, -1).replace('&', '\\u0026')}"}`],
    ['a provider error', `Error: 401 for user admin with "${CANARY}"`],
    ['a git URL', `fatal: unable to access https://x:${encodeURIComponent(CANARY)}@git.example/`],
    ['a URL with lower-case escapes', encodeURIComponent(CANARY).replace(/%../g, (code) => code.toLowerCase())],
    ['base64', bytes(CANARY).toString('base64')],
    ['base64 for URLs', bytes(CANARY).toString('base64url')],
    ['hex', bytes(CANARY).toString('hex')],
  ])('does not survive in %s', (_, text) => {
    const masked = masker.mask(text);
    expect(masked).toContain('[masked]');
    for (const form of [CANARY, CANARY.slice(2, -2), bytes(CANARY).toString('base64').slice(2, -4)]) {
      expect(masked).not.toContain(form);
    }
  });

  test('is found in base64 wherever it stands in a longer text', () => {
    for (const before of ['', 'u', 'us', 'user:']) {
      const encoded = bytes(`${before}${CANARY}:tail`).toString('base64');
      const left = createMasker([CANARY]).mask(encoded).split('[masked]');
      expect(left.length).toBe(2);
      expect(Buffer.from(left.join(''), 'base64').toString('latin1')).not.toContain(CANARY.slice(3, 9));
    }
  });

  test('is left alone below six characters and masked from six on', () => {
    const short = createMasker(['abcde', 'abcdef']);
    expect(short.mask('abcde abcdef')).toBe('abcde [masked]');
  });

  test('of several lines is masked line by line, also indented', () => {
    const masked = createMasker(['first-line\n second-line\r\nab\n']).mask('  + first-line\n  + second-line\n ab');
    expect(masked).toBe('  + [masked]\n  + [masked]\n ab');
  });

  test('goes whole when it contains or overlaps another', () => {
    const several = createMasker(['abcdef', 'abcdefghi', 'efghijkl']);
    expect(several.mask('-abcdefghijkl-abcdefghi-')).toBe('-[masked]-[masked]-');
  });

  test('leaves text without secrets as it is', () => {
    expect(createMasker([]).mask('nothing to hide\n')).toBe('nothing to hide\n');
  });
});

describe('output in pieces', () => {
  test('is the same as masking it whole, however it is cut', () => {
    const text = fc.array(fc.constantFrom('hunter22', '\n', 'hunt', 'er22', ' ', 'ghp_', 'A'.repeat(20), 'x'));
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 12 }), (parts, size) => {
        const whole = parts.join('');
        const masker = createMasker(['hunter22']);
        const stream = masker.stream();
        let shown = '';
        for (let at = 0; at < whole.length; at += size) shown += stream.push(whole.slice(at, at + size));
        expect(shown + stream.end()).toBe(masker.mask(whole));
      }),
    );
  });

  test('is held back until the line is complete', () => {
    const stream = createMasker(['hunter22']).stream();
    expect(stream.push('password hunt')).toBe('');
    expect(stream.push('er22\nnext')).toBe('password [masked]\n');
    expect(stream.end()).toBe('next');
  });

  test('without line ends is let go in parts that cut no secret', () => {
    const stream = createMasker(['hunter22']).stream();
    let shown = '';
    for (let at = 0; at < 40_000; at += 1) shown += stream.push('-hunter22');
    expect(shown.length).toBeGreaterThan(200_000);
    shown += stream.end();
    expect(shown).not.toMatch(/hunt|er22/);
  });
});

describe('credentials nobody named', () => {
  const masker = createMasker([]);

  test.each([
    ['GitHub', `ghp_${'a1B2'.repeat(9)}`],
    ['GitHub installation, long form', 'ghs_1234_eyJhbGciOi.eyJpc3MiOi.c2lnbmF0dXJl-x_y'],
    ['GitHub fine-grained', `github_pat_${'a1B2'.repeat(10)}`],
    ['GitLab', 'glpat-aaaaaaaaaaaaaaaaaaaa'],
    ['AWS key id', 'AKIAIOSFODNN7EXAMPLE'],
    ['JWT', `eyJ${'a'.repeat(20)}.eyJ${'b'.repeat(20)}.${'c'.repeat(20)}`],
    ['HCP Terraform', `${'a'.repeat(14)}.atlasv1.${'b'.repeat(60)}`],
  ])('are masked: %s', (_, token) => {
    expect(masker.mask(`token = "${token}"`)).toBe('token = "[masked]"');
  });

  test('in a URL: only the password goes', () => {
    expect(masker.mask('git clone https://bot:pa55w@rd@git.example/o/r.git')).toBe(
      'git clone https://bot:[masked]@git.example/o/r.git',
    );
  });

  test('in a header', () => {
    expect(masker.mask('Authorization: Bearer abc.def')).toBe('Authorization: Bearer [masked]');
  });

  const key = ['-----BEGIN RSA PRIVATE KEY-----', 'MIIEow+/=', 'AAAA', '-----END RSA PRIVATE KEY-----'];

  test('private keys go to their END, in a diff and in a JSON string', () => {
    expect(masker.mask(`a\n${key.map((line) => `  + ${line}`).join('\n')}\nb`)).toBe(
      'a\n  + [masked]\n[masked]\n[masked]\n[masked]\nb',
    );
    expect(masker.mask(JSON.stringify({ key: key.join('\n') }))).toBe('{"key":"[masked]"}');
  });

  test('a forged BEGIN line hides nothing that is no key', () => {
    expect(masker.mask(`${key[0]}\n  # aws_db.main will be destroyed\n  - x`)).toBe(
      '[masked]\n  # aws_db.main will be destroyed\n  - x',
    );
  });

  test('take no long time over hostile text', () => {
    const evil = ['://a:', 'eyJ-', 'ghp_', '-----BEGIN PRIVATE KEY-----', 'authorization: bearer ', 'a.atlasv1.', 'A'];
    const started = performance.now();
    for (const piece of evil) masker.mask(piece.repeat(200_000 / piece.length));
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});
