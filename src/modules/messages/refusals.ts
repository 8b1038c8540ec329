import { AppError, forbidden, notAMember, notFound } from '../../common/errors';

/** What a status of the append or of a message function means to the client. */
export function refusal(status: string, byKey = false): AppError {
  switch (status) {
    case 'no_room':
      return notFound('Room');
    case 'no_message':
      return notFound('Message');
    case 'not_member':
      return notAMember();
    case 'posting':
      return forbidden('Only admins may post in this room');
    case 'forbidden':
      return forbidden('You may not change this message');
    case 'mismatch':
      return new AppError(
        'IDEMPOTENCY_MISMATCH',
        `This ${byKey ? 'Idempotency-Key' : 'client_message_id'} was used before with another body`,
        { field: byKey ? 'Idempotency-Key' : 'client_message_id' },
      );
    default:
      throw new Error(`unknown status ${status}`);
  }
}
