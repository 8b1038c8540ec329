import type { NodeRegistry } from '../../platform/cluster';
import type { Jobs } from '../../platform/jobs';
import { SilentLog } from '../../platform/logging';
import type { RoomFeed } from '../../realtime';
import type { ChangesRepository } from './changes.repository';
import { CollectedTenants } from './collected-tenants';

type Note = (tenantId: string, roomId: string) => void;

describe('CollectedTenants', () => {
  it('hands in what others have changed where the job of one tenant cannot be stored', async () => {
    const added: string[] = [];
    const notes: Note[] = [];
    const end = (): void => undefined;
    const feed = { onCommitted: (_: unknown, note: Note) => (notes.push(note), end) } as unknown as RoomFeed;
    const nodes = { onNodeLost: () => end } as unknown as NodeRegistry;
    const add = (tenantId: string): Promise<void> => {
      if (tenantId === 'full') return Promise.reject(new Error('no more jobs'));
      added.push(tenantId);
      return Promise.resolve();
    };
    const jobs = { wake: end, add } as unknown as Jobs;
    const tenants = new CollectedTenants(feed, nodes, jobs, {} as ChangesRepository, new SilentLog());
    tenants.onModuleInit();
    for (const tenant of ['one', 'full', 'two']) {
      tenants.begin(tenant);
      for (const note of notes) note(tenant, 'room');
    }
    await expect(tenants.stop()).rejects.toThrow('no more jobs');
    expect(added).toEqual(['one', 'two']);
    await expect(tenants.stop()).rejects.toThrow('no more jobs');
    expect(added).toEqual(['one', 'two']);
  });
});
