export const MASK = '[masked]';

/**
 * Well-known credentials by their published prefixes (GitHub's token formats, GitLab's token overview, AWS' unique id prefixes,
 * Slack, Google, Stripe, npm, HashiCorp Vault and HCP Terraform). A second net below masking by value: it catches what nobody
 * told us about. Written so that no input makes them slow: each starts at a literal and none goes back over what it has read.
 */
const TOKENS: readonly RegExp[] = [
  /(?<![A-Za-z0-9])gh[pousr]_[\w.-]{16,}/g,
  /(?<![A-Za-z0-9])github_pat_\w{20,}/g,
  /(?<![A-Za-z0-9])gl(?:pat|ptt|dt|rt|cbt|oas|soat|ft|imt|agent)-[\w.-]{16,}/g,
  /(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])/g,
  /(?<![A-Za-z0-9])xox[abeoprs]-[\w-]{10,}/g,
  /(?<![A-Za-z0-9])AIza[\w-]{35}/g,
  /(?<![A-Za-z0-9])(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,}/g,
  /(?<![A-Za-z0-9])npm_[A-Za-z0-9]{36}/g,
  /(?<![A-Za-z0-9])hv[sbr]\.[\w-]{20,}/g,
  /(?<![A-Za-z0-9])[A-Za-z0-9]{14}\.atlasv1\.[\w-]{40,}/g,
  /(?<![\w-])eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{16,}/g,
];
/** What stands before the secret is kept, so that people see what was masked. */
const AFTER_A_LABEL: readonly RegExp[] = [
  /(:\/\/[^\s/?#@:"'<>\\]*:)[^\s/"'<>]+(?=@)/g,
  /(\bauthorization["']?\s?[:=]\s?["']?(?:bearer|basic|token)\s)[^\s"']+/gi,
];

const KEY_BEGIN = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----/;
const KEY_END = /-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----/;
/** A line of a key's body (parts of it may be masked by value already) or header with what a diff or an indented heredoc puts before it. */
const KEY_BODY = /^[\s+~-]*(?:[A-Za-z0-9+/=[\]]*|[A-Za-z-]+: .*)\s*$/;

/** Masks well-known credentials in one line or in a whole text; private keys over several lines need `createKeyMasker`. */
export function maskTokens(text: string): string {
  let masked = text;
  for (const pattern of TOKENS) masked = masked.replace(pattern, MASK);
  for (const pattern of AFTER_A_LABEL) masked = masked.replace(pattern, `$1${MASK}`);
  return masked;
}

/**
 * Masks PEM private keys, fed line by line. The block ends with its END line or with the first line that cannot be part of a key:
 * a forged BEGIN line must not hide the rest of a plan.
 */
export function createKeyMasker(): (line: string) => string {
  let inside = false;
  const begin = (line: string): string => {
    const start = line.search(KEY_BEGIN);
    if (start === -1) return line;
    const end = KEY_END.exec(line.slice(start));
    if (end !== null) return line.slice(0, start) + MASK + begin(line.slice(start + end.index + end[0].length));
    inside = true;
    return line.slice(0, start) + MASK;
  };
  return (line) => {
    if (!inside) return begin(line);
    const end = KEY_END.exec(line);
    inside = end === null && KEY_BODY.test(line);
    if (inside) return MASK;
    return end === null ? begin(line) : MASK + begin(line.slice(end.index + end[0].length));
  };
}

/** Masks private keys in a whole text. */
export function maskKeys(text: string): string {
  if (!text.includes('PRIVATE KEY')) return text;
  return text.split('\n').map(createKeyMasker()).join('\n');
}
