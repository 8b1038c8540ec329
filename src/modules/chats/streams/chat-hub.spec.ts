import { InterruptedBus } from '../../../../test/support/cluster/interrupted-bus';
import { type ChatHint, ChatHub } from './chat-hub';

const CHAT = { tenantId: 't', chatId: 'c' };

class RecordingListener {
  readonly heard: ChatHint['kind'][] = [];
  gaps = 0;

  hear({ kind }: ChatHint): void {
    this.heard.push(kind);
  }

  lookForLost(): void {
    this.gaps++;
  }
}

describe('ChatHub', () => {
  it('brings hints to the listeners of their chat, and gaps to all, as long as they listen', async () => {
    const bus = new InterruptedBus('node', () => undefined);
    const hub = new ChatHub(bus);
    const [here, elsewhere] = [new RecordingListener(), new RecordingListener()];
    const ends = [hub.listen(CHAT, here), hub.listen({ ...CHAT, chatId: 'other' }, elsewhere)];
    hub.publish(CHAT, { kind: 'deleted' });
    await Promise.resolve();
    bus.tellGap();
    expect([here.heard, elsewhere.heard, here.gaps, elsewhere.gaps]).toEqual([['deleted'], [], 1, 1]);
    ends[1]?.();
    bus.tellGap();
    hub.end();
    bus.tellGap();
    expect([here.gaps, elsewhere.gaps]).toEqual([2, 1]);
  });
});
