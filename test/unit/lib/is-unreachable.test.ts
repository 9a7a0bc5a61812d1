import { type AddressInfo, connect, createServer } from 'node:net';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { isUnreachable } from '../../../src/lib/is-unreachable.ts';

const said = (code: string) => Object.assign(new pg.DatabaseError('no', 2, 'error'), { code });

describe('an error that tells of a database that cannot be reached', () => {
  test('is that of a name of several addresses, none of which answers', async () => {
    const port = await closedPort();
    const lookup = (_name: string, _options: object, found: (error: null, addresses: object[]) => void) =>
      found(null, [
        { address: '127.0.0.1', family: 4 },
        { address: '127.0.0.2', family: 4 },
      ]);
    const error = await new Promise<unknown>((resolve) =>
      connect({ host: 'database.invalid', port, lookup: lookup as never }).once('error', resolve),
    );
    expect(error).toBeInstanceOf(AggregateError);
    expect(error).not.toHaveProperty('syscall');
    expect(isUnreachable(error)).toBe(true);
  });

  test.each([
    new AggregateError([new Error('other'), Object.assign(new Error('connect'), { syscall: 'connect' })]),
    Object.assign(new Error(''), { code: 'ECONNREFUSED' }),
    Object.assign(new Error('read'), { code: 'EIO', syscall: 'read' }),
    new Error('Connection terminated unexpectedly'),
    new Error('Connection is closed.'),
    new Error('timeout exceeded when trying to connect'),
    said('08006'),
    said('57P01'),
    said('53300'),
    said('25006'),
  ])('is $message $code', (error) => {
    expect(isUnreachable(error)).toBe(true);
  });

  test.each([
    new AggregateError([new Error('one'), new Error('two')]),
    new Error('invalid byte sequence'),
    Object.assign(new Error('argument'), { code: 'ERR_INVALID_ARG_TYPE' }),
    said('23505'),
    said('57014'),
    'ECONNREFUSED',
    undefined,
  ])('is not %s', (error) => {
    expect(isUnreachable(error)).toBe(false);
  });
});

async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
