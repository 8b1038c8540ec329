import { MemoryBus } from '../../../platform/cluster';
import { ManualClock } from '../../../common/time';
import type { ModelImage } from '../../models';
import { ChatHub } from '../streams/chat-hub';
import { PromptImages } from './prompt-images';

const MB = 1024 * 1024;
const image = (size: number): ModelImage => ({ mediaType: 'image/png', base64: 'x'.repeat(size), tokens: 1 });
const TOO_MANY = expect.objectContaining({ code: 'RATE_LIMIT_EXCEEDED' }) as Error;

let clock: ManualClock;
let hub: ChatHub;
let images: PromptImages;

beforeEach(() => {
  clock = new ManualClock();
  hub = new ChatHub(new MemoryBus('node', () => undefined));
  images = new PromptImages(clock, hub);
});
afterEach(() => hub.end());

describe('images on their way to a model', () => {
  it('are there until they are released', () => {
    const held = [image(1), image(2)];
    images.hold('t', 'run', held);
    expect([images.of('run'), images.of('other')]).toEqual([held, []]);
    images.release('run');
    expect(images.of('run')).toEqual([]);
  });

  it('are bounded by tenant and in all; what is released, or forgotten, makes room', () => {
    images.hold('a', 'a1', [image(64 * MB)]);
    expect(() => images.hold('a', 'a2', [image(1)])).toThrow(TOO_MANY);
    images.hold('a', 'without', []);
    for (const tenant of ['b', 'c', 'd']) images.hold(tenant, tenant, [image(64 * MB)]);
    expect(() => images.hold('e', 'e', [image(1)])).toThrow(TOO_MANY);
    images.release('b');
    images.hold('e', 'e', [image(1)]);
    clock.advance(11 * 60_000);
    images.hold('a', 'a3', [image(64 * MB)]);
    expect(['a1', 'e', 'a3'].map((id) => images.of(id).length)).toEqual([0, 0, 1]);
  });

  it('are forgotten in time, also where nothing is asked meanwhile', () => {
    images.hold('a', 'a1', [image(1)]);
    clock.advance(11 * 60_000 - 1);
    images.hold('a', 'a2', [image(1)]);
    images.forget();
    expect(['a1', 'a2'].map((id) => images.of(id).length)).toEqual([1, 1]);
    clock.advance(1);
    images.forget();
    expect(['a1', 'a2'].map((id) => images.of(id).length)).toEqual([0, 1]);
  });

  it('go with the end of a run that another node has taken', async () => {
    for (const run of ['theirs', 'other']) images.hold('t', run, [image(1)]);
    const chat = { tenantId: 't', chatId: 'chat' };
    hub.publish(chat, { kind: 'started', runId: 'other' });
    hub.publish(chat, { kind: 'ended', runId: 'theirs', count: 0, ...ENDED });
    await new Promise(setImmediate);
    expect(['theirs', 'other'].map((id) => images.of(id).length)).toEqual([0, 1]);
  });
});

const ENDED = {
  answer: {
    ...{ messageId: 'theirs', seq: 2, role: 'assistant' as const, senderId: 'agent_default', content: 'Hi' },
    ...{ metadata: {}, status: 'completed' as const, replyToSeq: 1, usage: null, finishReason: 'stop' as const },
    ...{ createdAt: new Date(0), deletedAt: null },
  },
};
