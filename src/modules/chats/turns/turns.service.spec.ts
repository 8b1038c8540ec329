import { unavailable } from '../../../common/errors';
import { MemoryBus } from '../../../platform/cluster';
import { ManualClock } from '../../../common/time';
import { PromptImages } from '../runs/prompt-images';
import { ChatHub } from '../streams/chat-hub';
import { TurnsService } from './turns.service';

const IMAGE = { mediaType: 'image/png', base64: 'x', tokens: 1 } as const;
const CALLER = { kind: 'key', tenantId: 't' };
const CHAT = { tenantId: 't', chatId: 'chat', userId: 'bob' };

let hub: ChatHub;
let images: PromptImages;

beforeEach(() => {
  hub = new ChatHub(new MemoryBus('node', () => undefined));
  images = new PromptImages(new ManualClock(), hub);
});
afterEach(() => hub.end());

/** What is said ends like this; of the rest only what becomes of images is real. */
async function sent(say: () => Promise<unknown>): Promise<number> {
  const models = { available: () => Promise.resolve() };
  const gate = { begin: () => Promise.resolve({ runId: 'run', jobs: [] }) };
  const retrier = { ofMessage: () => Promise.resolve('other') };
  const parts = [{ say }, models, gate, retrier, {}, images] as unknown as ConstructorParameters<typeof TurnsService>;
  await new TurnsService(...parts)
    .send(CALLER as never, CHAT as never, { content: 'Look', images: [IMAGE] })
    .catch(() => undefined);
  return images.of('run').length;
}

const STORED = { seq: 1, createdAt: new Date(0) };

describe('the images of a message', () => {
  it.each<[string, number, () => Promise<unknown>]>([
    ['stored', 1, () => Promise.resolve({ ...STORED, status: 'new' })],
    ['perhaps stored', 1, () => Promise.reject(unavailable('Away', { outcome: 'unknown' }))],
    ['stored before', 0, () => Promise.resolve({ ...STORED, status: 'duplicate' })],
    ['certainly not stored: the database is away', 0, () => Promise.reject(unavailable('Away'))],
    ['refused', 0, () => Promise.reject(new Error('refused'))],
  ])('that was %s are held: %d', async (_, held, say) => {
    expect(await sent(say)).toBe(held);
  });
});
