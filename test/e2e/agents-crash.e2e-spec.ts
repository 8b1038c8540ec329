import { askAgents, messagesIn, messagesOnce, roomWithAgent } from '../support/agents';
import { AGENT } from '../support/ai-chats';
import { ChatCrashFixture, LEASE_MS } from '../support/chats/crash-fixture';
import { FAKE_ANSWER } from '../support/chats/http';
import { AnswerGate } from '../support/fake-model';
import { until } from '../support/poll';
import { Servers } from '../support/server-process';

const servers = new Servers();
let site: ChatCrashFixture;
beforeAll(async () => (site = await ChatCrashFixture.start(servers)));
afterAll(async () => {
  await site.model.stop();
  await servers.cleanUp();
});

it('an agent whose server is killed ends with what was stored, then answers once each what was acknowledged', async () => {
  const { key, model, victim } = site;
  const roomId = await roomWithAgent(key);
  const gate = new AnswerGate();
  model.next({ steps: ['One ', 'two ', { hold: gate }, 'three'] });
  await askAgents(key, roomId, 'first');
  await gate.reached;
  await askAgents(key, roomId, 'second');
  await askAgents(key, roomId, 'third');
  await victim.killServer();
  const all = await until(
    () => messagesIn(key, roomId).catch(() => []),
    (found) => found.length >= 6,
    LEASE_MS,
  );
  const [cut, ...answers] = all.filter(({ sender_id }) => sender_id === AGENT);
  expect('One two three'.startsWith(cut?.content ?? '-')).toBe(true);
  expect(cut).toMatchObject({ meta: { finish_reason: 'stopped' } });
  expect(answers.map(({ content }) => content)).toEqual([FAKE_ANSWER, FAKE_ANSWER]);
  await askAgents(key, roomId, 'fourth');
  expect((await messagesOnce(key, roomId, 8)).slice(6).map(({ content }) => content)).toEqual(['fourth', FAKE_ANSWER]);
}, 240_000);
