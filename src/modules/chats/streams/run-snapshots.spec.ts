import { FAKE_RUN } from '../../../../test/support/chats/fake-runs';
import type { ChatLog } from '../../messages';
import type { ChatsRepository } from '../chats/chats.repository';
import { END_INDEX } from '../contract';
import { type LiveRuns } from '../runs/live-runs';
import type { RunsRepository, StoredTokens } from '../runs/runs.repository';
import { RunSnapshots } from './chat-streams.service';

const CHAT = { tenantId: 'tenant', chatId: 'chat' };
const TOKENS: readonly StoredTokens[] = [
  { text: '', ends: [] },
  { text: 'One ', ends: [4] },
  { text: 'One two ', ends: [4, 8] },
];

/** A run that another node writes; each look finds what the test says, the last one again and again. */
function written(...stored: readonly StoredTokens[]): { snapshots: RunSnapshots; looks: () => number } {
  let looks = 0;
  const run = { run_id: FAKE_RUN, state: 'streaming', answer_seq: null, ended_at: null, reply_to_seq: 1 };
  const runs = {
    find: () => Promise.resolve(run),
    tokens: () => Promise.resolve(stored[Math.min(looks++, stored.length - 1)]),
  } as unknown as RunsRepository;
  const live = { find: () => undefined } as unknown as LiveRuns;
  return { snapshots: new RunSnapshots(live, runs, {} as ChatLog, {} as ChatsRepository), looks: () => looks };
}

describe('a run that another node writes', () => {
  it('goes on for who has a token that is about to be stored', async () => {
    const { snapshots } = written(...TOKENS);
    await expect(snapshots.read(CHAT, FAKE_RUN, 1)).resolves.toMatchObject({ afterIndex: 1, text: '', index: 1 });
  });

  it('begins again for who has a token that is never stored: its node is gone', async () => {
    const { snapshots, looks } = written({ text: 'One ', ends: [4] });
    await expect(snapshots.read(CHAT, FAKE_RUN, 1)).resolves.toMatchObject({ afterIndex: -1, text: 'One ', index: 0 });
    expect(looks()).toBe(10);
  });

  it.each([-1, 0, END_INDEX])('is read once by who has nothing that is not stored (%s)', async (afterIndex) => {
    const { snapshots, looks } = written({ text: 'One ', ends: [4] });
    await snapshots.read(CHAT, FAKE_RUN, afterIndex);
    expect(looks()).toBe(1);
  });
});
