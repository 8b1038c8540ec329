import { Chats, ChatStreams, type ChatEvent, Turns } from '../../src/modules/chats/contract';
import { type CoreApp, startCoreApp } from '../support/chat-core';

let core: CoreApp;
let tenantId: string;
beforeAll(async () => {
  core = await startCoreApp();
  tenantId = await core.tenant();
});
afterAll(() => core.close());

it('answers a message', async () => {
  const caller = core.caller(tenantId, 'alice');
  const chat = await core.get(Chats).create(caller, { userId: 'alice' });
  const turn = await core.get(Turns).send(caller, chat, { content: 'Hello there, how are you?' });
  const events: ChatEvent[] = [];
  await new Promise<void>((resolve, reject) => {
    core
      .get(ChatStreams)
      .follow(chat, turn.runId, -1, (event) => {
        events.push(event);
        if (event.type === 'ended') resolve();
      })
      .catch(reject);
  });
  console.log(JSON.stringify(events, null, 1));
  console.log(await core.get(Chats).messages(chat, 'asc', { limit: 50, offset: 0 }));
});
