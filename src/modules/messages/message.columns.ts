import { PREVIEW_READ } from '../../common/text';

/** What every door shows of a message; of the table `m`, in the order that unions rely on. */
export const MESSAGE_COLUMNS = `m.message_id, m.room_id, m.seq, m.rev, m.sender_id, m.content, m.meta,
  m.client_message_id, m.created_at, m.edited_at, m.deleted_at`;

/** With the beginning of the content only: an answer may have a megabyte. */
export const PREVIEW_COLUMNS = MESSAGE_COLUMNS.replace('m.content', `left(m.content, ${PREVIEW_READ}) AS content`);

/** With `meta` as the text that frames are made of: it is written on as it is. */
export const FRAME_COLUMNS = MESSAGE_COLUMNS.replace('m.meta', 'm.meta::text AS meta');

/** With what only a chat with a model shows. */
export const CHAT_COLUMNS = `${MESSAGE_COLUMNS}, m.kind, m.status, m.reply_to_seq`;
