import { SilentLog } from '../../platform/logging';
import { Metrics } from '../../platform/metrics';
import { Flusher } from './socket-connection';

describe('what a turn queued', () => {
  let flusher: Flusher;
  let flushed: string[];
  const turn = () => new Promise(setImmediate);
  const add = (name: string, isPatient: boolean): void =>
    flusher.add({ flush: () => void flushed.push(name) }, isPatient);
  const addAll = (name: string, count: number): string[] => {
    const names = Array.from({ length: count }, (_, i) => `${name}${i}`);
    for (const each of names) add(each, true);
    return names;
  };

  beforeEach(() => {
    flusher = new Flusher(new Metrics(new SilentLog()));
    flushed = [];
  });

  it('leaves at the end of the turn, and what is ephemeral with it where that is little', async () => {
    const few = addAll('online ', 64);
    add('message', false);
    expect(flushed).toEqual([]);
    await turn();
    expect(flushed).toEqual(['message', ...few]);
  });

  it('leaves before what is ephemeral where that is much, which leaves in the order of coming, a part in each turn', async () => {
    const many = addAll('online ', 300);
    await turn();
    expect(flushed).toEqual(many.slice(0, 64));
    add('message', false);
    const more = addAll('typing ', 1);
    await turn();
    expect(flushed.slice(64)).toEqual(['message', ...many.slice(64, 128)]);
    for (let n = 0; n < 3; n++) await turn();
    expect(flushed.filter((name) => name !== 'message')).toEqual([...many, ...more]);
  });
});
