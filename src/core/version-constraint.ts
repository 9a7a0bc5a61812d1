import semver from 'semver';

/**
 * Whether a version meets a constraint in Terraform's grammar (`>= 1.3, < 2.0`, `~> 1.5`); undefined when the constraint cannot be
 * read. Operators as in "Version Constraints" of Terraform's documentation; `~>` lets only the last given part rise, which
 * npm's ranges cannot say, so the parts are translated one by one.
 */
export function meetsConstraint(version: string, constraint: string): boolean | undefined {
  const exact = semver.parse(version);
  const parts = constraint.split(',').map((part) => toRange(part.trim()));
  if (exact === null || parts.includes(undefined)) return undefined;
  return parts.every((part) => part?.(exact));
}

type Test = (version: semver.SemVer) => boolean;

function toRange(part: string): Test | undefined {
  const match = /^(~>|>=|<=|!=|=|>|<)?\s*v?(\d+(?:\.\d+){0,2})(-[\w.-]+)?$/.exec(part);
  if (match === null) return undefined;
  const [, operator = '=', numbers = '', prerelease = ''] = match;
  const given = numbers.split('.').map(Number);
  const [major = 0, minor = 0, patch = 0] = given;
  const bound = `${major}.${minor}.${patch}${prerelease}`;
  if (operator === '~>') {
    const ceiling = given.length > 2 ? `${major}.${minor + 1}.0` : `${major + 1}.0.0`;
    return (version) => semver.gte(version, bound) && semver.lt(version, ceiling);
  }
  return (version) => compares(operator, semver.compare(version, bound));
}

function compares(operator: string, order: number): boolean {
  if (operator === '>=') return order >= 0;
  if (operator === '<=') return order <= 0;
  if (operator === '>') return order > 0;
  if (operator === '<') return order < 0;
  return operator === '!=' ? order !== 0 : order === 0;
}
