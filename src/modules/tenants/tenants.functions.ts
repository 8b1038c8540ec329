import { type AppError, notFound } from '../../common/errors';
import { answer, schemaFunction } from '../../platform/database';

/** Whether what a user writes is held. */
export const userHold = schemaFunction(
  'user_hold',
  { p_user: 'text', p_hold: 'boolean' },
  answer<{ readonly legal_hold: boolean }>({ no_user: (): AppError => notFound('User') }),
);
