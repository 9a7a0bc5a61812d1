import { expect, test } from 'vitest';
import { HostRefusedError, HostUnavailableError, InvalidDeliveryError } from '../../../src/core/host-error.ts';

const cause = new Error('below');

test('a host that cannot be asked says when to ask again', () => {
  const retryAt = new Date('2026-11-21T12:00:00Z');
  const error = new HostUnavailableError('no answer', retryAt, { cause });
  expect(error).toMatchObject({ name: 'HostUnavailableError', message: 'no answer', retryAt, cause });
});

test('a host that refuses says how, and what is missing when it knows', () => {
  const error = new HostRefusedError('no', { status: 403, neededPermission: 'issues=write' }, { cause });
  expect(error).toMatchObject({ name: 'HostRefusedError', message: 'no', status: 403, cause });
  expect(error.neededPermission).toBe('issues=write');
  expect(new HostRefusedError('no', { status: undefined })).toMatchObject({
    status: undefined,
    neededPermission: undefined,
  });
});

test('a delivery that lacks something says what', () => {
  const error = new InvalidDeliveryError('no repository', { cause });
  expect(error).toMatchObject({ name: 'InvalidDeliveryError', message: 'no repository', cause });
});
