import { newUuid } from '../../common/ids';
import type { LoggedMessage } from '../messages';
import { messageOf, usageMeta } from './chats/chats.repository';
import type { TokenUsage } from './contract';
import { usageView } from './events';
import { tokenUsageView } from './http/views';
import { completion } from './openai/completions-format';
import { responseView } from './openai/responses-format';

const USAGE: TokenUsage = { promptTokens: 11, completionTokens: 2, totalTokens: 13, estimated: false };
const CACHED: TokenUsage = { ...USAGE, cachedPromptTokens: 8 };

/** As it is read from the log once it was stored there. */
function stored(usage: TokenUsage): TokenUsage | null {
  const row: LoggedMessage = {
    ...{ message_id: newUuid(), seq: 2, rev: 2, sender_id: 'agent_default', kind: 'assistant', content: 'Hi' },
    ...{ client_message_id: null, status: 'completed', reply_to_seq: 1, created_at: new Date(0) },
    ...{ room_id: newUuid(), edited_at: null, deleted_at: null },
    meta: { finish_reason: 'stop', usage: usageMeta(usage) },
  };
  return messageOf(row).usage;
}

describe('tokens of a prompt that a provider had in its cache', () => {
  const end = (usage: TokenUsage) => ({ text: 'Hi', finishReason: 'stop', usage, imagesLeftOut: 0 });
  const head = { uuid: newUuid(), model: 'default', previous: undefined, isBackground: false, isStored: true };

  it('are kept with the answer where the provider tells them, none and some apart', () => {
    expect(stored(CACHED)).toEqual(CACHED);
    expect(stored({ ...USAGE, cachedPromptTokens: 0 })).toEqual({ ...USAGE, cachedPromptTokens: 0 });
    expect(stored(USAGE)).toEqual(USAGE);
    expect(JSON.stringify(usageMeta(USAGE))).not.toContain('cached');
  });

  it('are told in the words of each API', () => {
    expect(usageView(CACHED)).toMatchObject({ prompt_tokens: 11, cached_prompt_tokens: 8 });
    expect(tokenUsageView(CACHED)).toMatchObject({ promptTokens: 11, cachedPromptTokens: 8 });
    const answer = completion({ id: 'chatcmpl-1', created: 0, model: 'default' }, 'Hi', end(CACHED));
    expect(answer.usage).toMatchObject({ prompt_tokens: 11, prompt_tokens_details: { cached_tokens: 8 } });
    const response = responseView(head, 'completed', end(CACHED));
    expect(response.usage).toMatchObject({ input_tokens: 11, input_tokens_details: { cached_tokens: 8 } });
  });

  it('are left out where the provider says nothing of a cache', () => {
    expect(JSON.stringify([usageView(USAGE), tokenUsageView(USAGE)])).not.toContain('ached');
    const answer = completion({ id: 'chatcmpl-1', created: 0, model: 'default' }, 'Hi', end(USAGE));
    expect(answer.usage).toEqual({ prompt_tokens: 11, completion_tokens: 2, total_tokens: 13 });
  });
});
