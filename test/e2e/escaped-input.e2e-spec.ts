import type { TestTenant } from '../support/app';
import { chatPath, createChat, messagesOf } from '../support/chats/http';
import { openChat } from '../support/chats/socket';
import { listAll, pathOf, send } from '../support/messages';
import { badField, bodyOf, createRoom, objectOfBytes, refusal } from '../support/rooms';
import { emojis } from '../support/unicode';
import { type SocketApp, startSocketApp } from '../support/ws/socket-app';

const LONGEST = 32_768;
const META_BYTES = 16 * 1024;
const KB_256 = 256 * 1024;
const KB_768 = 768 * 1024;

/** JSON as libraries write it that escape whatever is no ASCII. */
function escaped(value: unknown): string {
  return JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The longest legal messages, by the bytes that their escapes make of one. */
const CASES: readonly (readonly [name: string, content: string, meta: Record<string, string>])[] = [
  ['32,768 emoji', emojis(LONGEST), objectOfBytes(META_BYTES, '😀')],
  ['one emoji again and again', '👍'.repeat(LONGEST), {}],
  ['32,768 letters of two bytes', 'é'.repeat(LONGEST), objectOfBytes(META_BYTES, 'é')],
  ['32,768 letters of three bytes', '中'.repeat(LONGEST), objectOfBytes(META_BYTES, '中')],
];
/** Raw bodies, in which `filler` is unknown to every door, and what is said of them. */
const PLAIN = (bytes: number): string => `{"filler":"${'x'.repeat(bytes - '{"filler":""}'.length)}"}`;

describe('S25: messages whose characters come as escapes', () => {
  let app: SocketApp;
  let tenant: TestTenant;
  let roomId: string;

  beforeAll(async () => {
    app = await startSocketApp();
    tenant = await app.tenant({
      requests_per_second: null,
      ai_requests_per_minute: null,
      ws_messages_per_second: null,
    });
    roomId = (await createRoom(tenant.as('alice'), 'group')).room_id;
  });
  afterAll(() => app.close());

  describe.each(CASES)('%s', (_name, content, meta) => {
    const newest = async () => (await listAll(tenant.as('alice'), roomId)).at(-1);

    it('S25: over REST, and in an edit', async () => {
      const raw = escaped({ content, meta, client_message_id: crypto.randomUUID() });
      expect(raw.length).toBeGreaterThan(content.length * 5);
      const path = `/rooms/${roomId}/messages`;
      const sent = bodyOf(await tenant.as('alice').call<{ message_id: string }>('POST', path, undefined, { raw }), 201);
      const edited = await send(tenant.as('alice'), roomId);
      bodyOf(
        await tenant.as('alice').call('PATCH', pathOf(roomId, edited), undefined, { raw: escaped({ content, meta }) }),
      );
      const all = await listAll(tenant.as('alice'), roomId);
      for (const { message_id } of [sent, edited]) {
        const stored = all.find((message) => message.message_id === message_id);
        expect([stored?.content === content, stored?.meta]).toEqual([true, meta]);
      }
    });

    it('S25: on /ws, flat and nested, also with meta as text that is escaped itself', async () => {
      const client = await app.open(tenant);
      const { limits } = await client.frame('hello');
      const fields = { room_id: roomId, content, meta };
      const frames = [
        escaped({ type: 'send_message', request_id: 'flat', ...fields }),
        escaped({ type: 'send_message', request_id: 'nested', data: fields }),
        escaped({ type: 'send_message', request_id: 'text', ...fields, meta: escaped(meta) }),
      ];
      for (const frame of frames) {
        expect(frame.length).toBeLessThanOrEqual((limits as { frame_bytes: number }).frame_bytes);
        client.ws.send(frame);
        await client.many('message.accepted', frames.indexOf(frame) + 1);
        const stored = await newest();
        expect([stored?.content === content, stored?.meta]).toEqual([true, meta]);
      }
      await client.close();
    });

    it('S25: in a chat, over REST and on /ws/chat', async () => {
      const chat = await createChat(tenant.key, 'alice');
      const raw = escaped({ content, metadata: meta });
      bodyOf(await tenant.key.call('POST', `${chatPath(chat.id)}/messages`, undefined, { raw }));
      const client = await openChat(app.url, tenant, chat.id);
      client.ws.send(raw);
      await client.frame('message_stream_ended', 60_000);
      const said = (await messagesOf(tenant.key, chat.id)).filter(({ sender_role }) => sender_role === 'user');
      expect(said.map((message) => [message.content === content, message.metadata])).toEqual([
        [true, meta],
        [true, meta],
      ]);
      await client.close();
    });
  });

  it('S25: characters are counted, not escapes', async () => {
    const path = `/rooms/${roomId}/messages`;
    const raw = (body: object): Promise<unknown> =>
      tenant
        .as('alice')
        .call('POST', path, undefined, { raw: escaped(body) })
        .then(refusal);
    expect(await raw({ content: emojis(LONGEST + 1) })).toEqual(badField('content'));
    expect(await raw({ content: 'x', meta: objectOfBytes(META_BYTES + 1, '😀') })).toEqual(badField('meta'));
  });

  it.each<[string, string, number]>([
    ['256 KB', PLAIN(KB_256), 400],
    ['a byte more', PLAIN(KB_256 + 1), 413],
    ['256 KB, indented to more', `${' '.repeat(KB_256)}${PLAIN(KB_256)}`, 400],
    ['256 KB in escapes', escaped({ filler: 'é'.repeat(KB_256 / 2 - 7) }), 400],
    ['more than 256 KB in escapes', escaped({ filler: 'é'.repeat(KB_256 / 2) }), 413],
    ['768 KB of blanks', `{}${' '.repeat(KB_768 - 2)}`, 400],
    ['a byte more than that', `{}${' '.repeat(KB_768 - 1)}`, 413],
  ])('S25: %s over REST: %#', async (_name, raw, status) => {
    const answer = await tenant.as('alice').call('POST', `/rooms/${roomId}/messages`, undefined, { raw });
    expect(answer.status).toBe(status);
  });

  it('S25: a frame of more than 256 KB is refused with its id, and the connection stays', async () => {
    const client = await app.open(tenant);
    const frame = { type: 'ping', request_id: 'large', filler: 'x'.repeat(KB_256) };
    client.send(frame);
    expect(await client.frame('error')).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', request_id: 'large' });
    client.send({ ...frame, filler: 'x'.repeat(KB_256 - 100), request_id: 'legal' });
    expect((await client.many('error', 2))[1]).toMatchObject({ code: 'VALIDATION_ERROR', field: 'filler' });
    client.send({ type: 'ping', request_id: 'still here' });
    await client.frame('pong');
    client.ws.send(`${JSON.stringify({ type: 'ping' })}${' '.repeat(KB_768)}`);
    expect(await client.ended()).toMatchObject({ code: 1009 });
  });
});
