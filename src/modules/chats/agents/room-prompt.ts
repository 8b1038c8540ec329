import type { LoggedMessage } from '../../messages';
import type { BegunAgent } from '../chats.functions';

/** What ends a line anywhere. */
const LINE_ENDS = /\r\n|[\n\r\u2028\u2029]/g;

/**
 * A room's messages as an agent is told them: its own as the assistant's, all others as a user's with the name of who said it,
 * as `"alice": text`. Names are quoted and later lines indented, so that no text passes for what somebody else has said.
 */
export function roomTold(messages: readonly LoggedMessage[], agentId: string): LoggedMessage[] {
  return messages.map((message) => {
    if (message.kind === 'system') return message;
    if (message.sender_id === agentId) return { ...message, kind: 'assistant' };
    const text = message.content.replaceAll(LINE_ENDS, '\n  ');
    return { ...message, kind: 'user', content: `${JSON.stringify(message.sender_id)}: ${text}` };
  });
}

/** The preset's prompt with where the agent is, and whether it was away of what it is told. */
export function agentPrompt(
  systemPrompt: string,
  { agent_id: id, name, paused_at: from, paused_until: until }: BegunAgent,
  messages: readonly LoggedMessage[],
): string {
  const called = name === null ? '' : `, called ${JSON.stringify(name)}`;
  const where =
    `You are the member ${JSON.stringify(id)}${called} of a chat room with several members. ` +
    'Each message of another member begins with the name of who wrote it, in quotes. ' +
    'Answer the last message with your text alone, without a name before it.';
  const missed =
    from !== null && until !== null && messages.some(({ created_at }) => isWithin(created_at, from, until));
  const away = missed ? `You were paused from ${from} to ${until}; what was said meanwhile you have not answered.` : '';
  return [systemPrompt, where, away].filter((part) => part !== '').join('\n\n');
}

function isWithin(at: Date, from: string, until: string): boolean {
  return at.getTime() >= Date.parse(from) && at.getTime() <= Date.parse(until);
}
