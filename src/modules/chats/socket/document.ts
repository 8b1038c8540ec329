import type { DoorDocument } from '../../../realtime';

const INTRODUCTION = `One connection is about one chat: \`?chat_id=\` or the header \`X-Chat-ID\`. A chat that does not exist is refused with 404, another user's with 403. With a key the user is optional: without one the connection acts as the chat's own user.

Every event of the server has an \`event_type\` and a \`timestamp\`. Your frames: \`{"content":"…"}\` is a message; the others have a \`type\`. \`request_id\` and the nested form with \`data\` are as on /ws. What is refused is answered by an \`error\` event, whose \`details.hint\` says what to do.

**A message** is told to all connections of its chat by \`message_received\`, after its durable commit, whichever door it came through; your \`request_id\` comes back on your own connection alone. A retry with the same \`client_message_id\` stores nothing and is answered by \`message_received\` again, to you.

**An answer** is \`message_stream_started\`, \`message_stream_token\`…, \`message_stream_ended\`. It belongs to the server: it goes on when you leave. Tokens are numbered from 0; one event may hold several, and \`index\` is that of its last one. \`content\` of the end is the truth: replace what you have put together. An answer that fails has an \`error\` before its end, and no start where no token came.

**Coming back.** A connection is first told of the answer that is being written: \`message_stream_started\` with \`after_index\` −1, one token event with the text so far, then the live tokens. Who keeps what it has connects with \`?last_event_id=<message_id>:<index>\`, or sends \`resume {message_id, after_index}\`: then \`message_stream_started\` says by \`after_index\` after which token it goes on. If that is not the index you gave (the tokens of an answer are kept for an hour after its end), drop what you have of it. Every \`message_stream_started\` begins anew: of its message keep the tokens up to \`after_index\`, and append what follows. What you missed beside that is in \`GET /api/v1/chats/{chat_id}/messages\`.

**Limits.** 10 messages a second (a tenant's setting) and 100 other frames; 50 connections per tenant (\`chat_connections\`).`;

/** How AsyncAPI describes the socket of a chat. */
export const CHAT_DOCUMENT: DoorDocument = {
  channel: 'chat',
  introduction: INTRODUCTION,
  typeField: 'event_type',
  everyFrame: { timestamp: { type: 'string', format: 'date-time', examples: ['2026-01-31T12:00:00.000Z'] } },
  query: {
    chat_id: { type: 'string', format: 'uuid', description: 'The chat.' },
    last_event_id: {
      type: 'string',
      description:
        '`<message_id>:<index>`, also the `id` of a server-sent event: the last token that you have of an answer; it goes on after it. After the last event of an answer nothing is missing.',
    },
  },
  headers: { 'X-Chat-ID': { type: 'string', format: 'uuid', description: 'The chat, instead of `chat_id`.' } },
};
