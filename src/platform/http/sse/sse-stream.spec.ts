import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { MAX_WAITING_BYTES } from '../../../common/limits';
import { BEAT_MS, MAX_BEATS_AFTER_END, type SseEnd, SseStream } from './sse-stream';

/** An answer whose reader takes what the test lets them take. */
class FakeResponse extends EventEmitter {
  destroyed = false;
  writableLength = 0;

  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

function open(): { stream: SseStream; response: FakeResponse; ends: SseEnd[]; read: () => string } {
  const response = new FakeResponse();
  const stream = new SseStream(response as unknown as ServerResponse);
  const ends: SseEnd[] = [];
  stream.onClose((why) => void ends.push(why));
  return { stream, response, ends, read: () => String((stream.body.read() as Buffer | null) ?? '') };
}

describe('an SSE stream', () => {
  beforeEach(() => jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate'] }));
  afterEach(() => jest.useRealTimers());

  it('writes one data line per event, with its id', () => {
    const { stream, read } = open();
    stream.sendEvent({ text: 'a\nb\u2028' }, 'msg_1:3');
    stream.sendEvent({ b: 1 });
    expect(read()).toBe('id: msg_1:3\ndata: {"text":"a\\nb\u2028"}\n\ndata: {"b":1}\n\n');
  });

  it('says something every 15 s', () => {
    const { read } = open();
    jest.advanceTimersByTime(BEAT_MS - 1);
    expect(read()).toBe('');
    jest.advanceTimersByTime(1);
    expect(read()).toBe(':\n\n');
  });

  it('ends after what was sent, and is silent from then on', () => {
    const { stream, response, ends, read } = open();
    stream.sendEvent({ a: 1 });
    stream.endStream();
    stream.sendEvent({ b: 1 });
    stream.endStream('stopping');
    expect(read()).toBe('data: {"a":1}\n\n');
    expect(ends).toEqual([]);
    response.emit('close');
    expect(ends).toEqual(['done']);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('has a last word for whoever ends it, if it has one for why', () => {
    const words = (why: SseEnd): Buffer | undefined => (why === 'slow' ? undefined : Buffer.from(`${why}!`));
    for (const [why, said] of [
      ['done', 'done!'],
      ['stopping', 'stopping!'],
      ['slow', ''],
    ] as const) {
      const stream = new SseStream(new FakeResponse() as unknown as ServerResponse, words);
      stream.sendEvent({ a: 1 });
      stream.endStream(why);
      stream.endStream('expired');
      expect(String(stream.body.read())).toBe(`data: {"a":1}\n\n${said}`);
    }
  });

  it('a reader who leaves ends it, and its timer', () => {
    const { stream, response, ends } = open();
    response.emit('close');
    stream.sendEvent({ a: 1 });
    expect(ends).toEqual(['client']);
    expect(stream.waiting).toBe(0);
    expect(jest.getTimerCount()).toBe(0);
    stream.onClose((why) => void ends.push(why));
    expect(ends).toEqual(['client', 'client']);
  });

  it('a reader who had left before it began is one who left', () => {
    const response = new FakeResponse();
    response.destroyed = true;
    const ends: SseEnd[] = [];
    new SseStream(response as unknown as ServerResponse).onClose((why) => void ends.push(why));
    expect(ends).toEqual(['client']);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('cuts off a reader for whom more than 1 MB waits', () => {
    const { stream, response, ends } = open();
    const text = 'x'.repeat(64 * 1024);
    let sent = 0;
    for (; !response.destroyed && sent < 100; sent++) stream.sendEvent({ text });
    expect(sent).toBe(Math.ceil(MAX_WAITING_BYTES / text.length));
    expect(ends).toEqual(['slow']);
  });

  it('cuts off a reader who took nothing between two beats, also when all was said', () => {
    for (const isEnded of [true, false]) {
      const { stream, response, ends } = open();
      stream.sendEvent({ text: 'nobody reads this' });
      if (isEnded) stream.endStream();
      jest.advanceTimersByTime(BEAT_MS);
      expect(response.destroyed).toBe(false);
      jest.advanceTimersByTime(BEAT_MS);
      expect(response.destroyed).toBe(true);
      expect(ends).toEqual([isEnded ? 'done' : 'slow']);
    }
  });

  it('S14: cuts off a reader who takes the rest by the drop, a minute after the end', () => {
    const { stream, response, ends } = open();
    stream.sendEvent({ text: 'x'.repeat(100_000) });
    stream.endStream();
    for (let beat = 1; beat <= MAX_BEATS_AFTER_END; beat++) {
      expect(response.destroyed).toBe(false);
      stream.body.read(10);
      jest.advanceTimersByTime(BEAT_MS);
    }
    expect(ends).toEqual(['done']);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('S14: an event that alone is larger than the bound gets out', () => {
    const { stream, response, read } = open();
    const text = 'x'.repeat(2 * MAX_WAITING_BYTES);
    stream.sendEvent({ text });
    expect(response.destroyed).toBe(false);
    expect(read()).toContain(text);
    stream.sendEvent({ text: 'a' });
    stream.sendEvent({ text });
    expect(response.destroyed).toBe(true);
  });

  it('leaves a reader alone who takes something', () => {
    const { stream, response } = open();
    for (let beat = 0; beat < 5; beat++) {
      stream.sendEvent({ text: 'abcdefgh' });
      stream.body.read(10);
      jest.advanceTimersByTime(BEAT_MS);
    }
    expect(response.destroyed).toBe(false);
    response.destroy();
  });
});
