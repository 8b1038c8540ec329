import { testChannel } from '../../../../test/support/models/channels';
import type { Channel } from '../channels/channel-directory';
import { ChannelChoice } from './channel-choice';

const channel = testChannel;

const ECHO = channel('echo', { provider: 'echo' });
const ENVIRONMENT = channel('environment');

async function chosen(own: readonly Channel[], environment?: Channel): Promise<string[]> {
  const choice = new ChannelChoice({ of: () => Promise.resolve(own) }, { environment, echo: ECHO }, () => 0.5);
  return (await choice.of('tenant')).map(({ name }) => name);
}

describe('the choice of channels', () => {
  it("is the tenant's own by priority, and then the environment's", async () => {
    const own = [channel('late', { priority: 9 }), channel('early', { priority: 1 })];
    expect(await chosen(own, ENVIRONMENT)).toEqual(['early', 'late', 'environment']);
    expect(await chosen([], ENVIRONMENT)).toEqual(['environment']);
  });

  it('leaves out what is not enabled, and may leave nothing', async () => {
    const off = channel('off', { enabled: false });
    expect(await chosen([off, channel('on')])).toEqual(['on']);
    expect(await chosen([off])).toEqual([]);
    expect(await chosen([off], ENVIRONMENT)).toEqual(['environment']);
  });

  it('is the echo only where there is no channel at all', async () => {
    expect(await chosen([])).toEqual(['echo']);
  });

  it("a tenant's own echo answers while it has nothing else, and is never a fallback", async () => {
    const own = channel('test', { provider: 'echo' });
    expect(await chosen([own])).toEqual(['test']);
    expect(await chosen([channel('test', { provider: 'echo', enabled: false })])).toEqual([]);
    expect(await chosen([own, channel('real', { priority: 9 })])).toEqual(['real']);
    expect(await chosen([own, channel('off', { enabled: false })])).toEqual([]);
    expect(await chosen([own], ENVIRONMENT)).toEqual(['environment']);
  });
});
