import { AppError } from '../../../common/errors';

/** The Conversations API has a word of its own for a chat that is not there. */
export async function inConversation<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AppError && error.code === 'NOT_FOUND') throw noConversation();
    throw error;
  }
}

export function noConversation(): AppError {
  return new AppError('CONVERSATION_NOT_FOUND', 'Conversation not found');
}
