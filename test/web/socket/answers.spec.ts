import { Answers } from '../../../web/src/socket/answers';
import type { Frame } from '../../../web/src/socket/frames';

const AT = { timestamp: '2026-01-31T12:00:00.000Z', chat_id: 'c', message_id: 'msg_2' };

const started = (after: number): Frame<'chat.message_stream_started'> => ({
  ...AT,
  event_type: 'message_stream_started',
  after_index: after,
});
const token = (index: number, text: string): Frame<'chat.message_stream_token'> => ({
  ...AT,
  event_type: 'message_stream_token',
  index,
  token: text,
});
const ended = (content: string, status: 'completed' | 'cancelled'): Frame<'chat.message_stream_ended'> => ({
  ...AT,
  event_type: 'message_stream_ended',
  ...{ seq: 2, content, status, usage: null, finish_reason: 'stop' },
});

function textAfter(...events: Parameters<Answers['take']>[0][]): string | undefined {
  const answers = new Answers();
  for (const event of events) answers.take(event);
  return answers.all.at(-1)?.text;
}

describe('Answers', () => {
  it('puts tokens together, and says from where an answer is resumed', () => {
    const answers = new Answers();
    for (const event of [started(-1), token(0, 'Hel'), token(2, 'lo')]) answers.take(event);
    expect(answers.streaming).toMatchObject({ text: 'Hello', index: 2, status: 'streaming', resumes: 0 });
    answers.take(ended('Hello', 'completed'));
    expect([answers.streaming, answers.all.at(-1)?.status]).toEqual([undefined, 'completed']);
  });

  it.each([
    ['goes on where it was', [started(-1), token(0, 'a'), token(1, 'b'), started(1), token(2, 'c')], 'abc'],
    ['keeps the tokens up to the place', [started(-1), token(0, 'a'), token(1, 'b'), started(0), token(1, 'B')], 'aB'],
    ['begins anew', [started(-1), token(0, 'a'), token(1, 'b'), started(-1), token(1, 'AB')], 'AB'],
    ['takes no token twice', [started(-1), token(0, 'a'), token(0, 'a'), token(1, 'b')], 'ab'],
    ['ends with the truth', [started(-1), token(0, 'a'), ended('whole', 'cancelled')], 'whole'],
    [
      'goes on after its end',
      [started(-1), token(0, 'a'), ended('ab', 'completed'), started(-1), token(1, 'ab')],
      'ab',
    ],
  ])('%s', (_, events, text) => {
    expect(textAfter(...events)).toBe(text);
  });

  it('stands behind the messages of a page, whatever comes first', () => {
    const answers = new Answers();
    answers.take(started(-1));
    answers.page([{ id: 'msg_1', sender_role: 'user', seq: 1, content: 'Hi' }]);
    expect(answers.all.map(({ id }) => id)).toEqual(['msg_1', 'msg_2']);
    answers.superseded('msg_2');
    expect(answers.all.at(-1)?.status).toBe('superseded');
  });
});
