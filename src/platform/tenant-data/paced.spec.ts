import { setTimeout as pause } from 'node:timers/promises';
import { ManualClock } from '../../common/time';
import { Paced } from './paced';

jest.mock('node:timers/promises', () => ({ setTimeout: jest.fn(() => Promise.resolve()) }));

describe('paced work', () => {
  const clock = new ManualClock();
  const stop = new AbortController();
  const paced = new Paced(clock, stop.signal, 100);
  const taking = (ms: number) => (): Promise<number> => {
    clock.advance(ms);
    return Promise.resolve(ms);
  };

  it('rests twice as long as a piece took, and a little at least', async () => {
    expect(await paced.piece(taking(20))).toBe(20);
    await paced.piece(taking(1));
    expect(jest.mocked(pause).mock.calls.map(([ms]) => ms)).toEqual([40, 5]);
  });

  it('is over when its time is up', async () => {
    expect(paced.isOver).toBe(false);
    await paced.piece(taking(100));
    expect(paced.isOver).toBe(true);
  });

  it('begins no piece once it is to stop', async () => {
    stop.abort(new Error('stopped'));
    const work = jest.fn(taking(1));
    await expect(paced.piece(work)).rejects.toThrow('stopped');
    expect(work).not.toHaveBeenCalled();
  });
});
