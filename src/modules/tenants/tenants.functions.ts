import { Injectable } from '@nestjs/common';
import { AppError, notFound } from '../../common/errors';
import { answer, schemaFunction, value } from '../../platform/database';
import { eraseFunction, EraseStep, type EraseWork } from '../../platform/tenant-data';

/** 409 of whatever would change a tenant that is being deleted. */
export function beingDeleted(): AppError {
  return new AppError('CONFLICT', 'This tenant is being deleted', { details: { reason: 'deleting' } });
}

/** Makes the users that do not exist yet. */
export const usersEnsure = schemaFunction('users_ensure', { p_users: 'text[]' }, value<unknown>('void'));

/** Whether what a user writes is held. */
export const userHold = schemaFunction(
  'user_hold',
  { p_user: 'text', p_hold: 'boolean' },
  answer<{ readonly legal_hold: boolean }>({
    no_user: (): AppError => notFound('User'),
    deleting: beingDeleted,
  }),
);

/** Takes the row of a user out. */
@Injectable()
@EraseStep('users')
export class UsersErase implements EraseWork {
  readonly batch = eraseFunction('users_erase');
}
