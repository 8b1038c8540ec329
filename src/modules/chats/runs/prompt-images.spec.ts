import { ManualClock } from '../../../common/time';
import type { ModelImage } from '../../models';
import { PromptImages } from './prompt-images';

const MB = 1024 * 1024;
const image = (size: number): ModelImage => ({ mediaType: 'image/png', base64: 'x'.repeat(size), tokens: 1 });

describe('images on their way to a model', () => {
  it('are there until they are released', () => {
    const images = new PromptImages(new ManualClock());
    const held = [image(1), image(2)];
    images.hold('t', 'run', held);
    expect([images.of('run'), images.of('other')]).toEqual([held, []]);
    images.release('run');
    expect(images.of('run')).toEqual([]);
  });

  it('are bounded by tenant and in all; what is released, or forgotten, makes room', () => {
    const clock = new ManualClock();
    const images = new PromptImages(clock);
    const tooMany = expect.objectContaining({ code: 'RATE_LIMIT_EXCEEDED' }) as Error;
    images.hold('a', 'a1', [image(64 * MB)]);
    expect(() => images.hold('a', 'a2', [image(1)])).toThrow(tooMany);
    images.hold('a', 'without', []);
    for (const tenant of ['b', 'c', 'd']) images.hold(tenant, tenant, [image(64 * MB)]);
    expect(() => images.hold('e', 'e', [image(1)])).toThrow(tooMany);
    images.release('b');
    images.hold('e', 'e', [image(1)]);
    clock.advance(30 * 60_000);
    images.hold('a', 'a3', [image(64 * MB)]);
    expect(['a1', 'e', 'a3'].map((id) => images.of(id).length)).toEqual([0, 0, 1]);
  });
});
