import { decodeId, isUuid } from '../../../common/ids';

/** A chat's id on the AI chats API is the bare UUID; undefined: there is no such chat. */
export function chatIdOf(id: string): string | undefined {
  return isUuid(id) ? id : undefined;
}

/** `conv_<hex>` or the bare UUID; undefined: there is no such conversation. */
export function conversationIdOf(id: string): string | undefined {
  return decodeId('conversation', id) ?? chatIdOf(id);
}
