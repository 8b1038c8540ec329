import { started } from '../../../test/support/exploring';
import { Lifecycle } from '../../platform/lifecycle';
import { SilentLog } from '../../platform/logging';
import type { KeysRepository } from './keys.repository';
import { KeyUses } from './key-uses';

type Batch = Parameters<KeysRepository['touch']>[0];

describe('last uses of API keys', () => {
  it('are written together, one per key, and the rest when the server stops', async () => {
    const written: Batch[] = [];
    const lifecycle = new Lifecycle(new SilentLog());
    const repository = { touch: async (batch: Batch) => void written.push(batch) };
    const uses = new KeyUses(repository as unknown as KeysRepository);
    started(lifecycle, uses);
    await uses.flush();
    expect(written).toEqual([]);

    for (let i = 0; i < 100; i++) uses.note('t1', 'k1');
    uses.note('t2', 'k2');
    await uses.flush();
    expect(written.map((batch) => batch.map(({ tenantId, keyId }) => [tenantId, keyId]))).toEqual([
      [
        ['t1', 'k1'],
        ['t2', 'k2'],
      ],
    ]);

    uses.note('t1', 'k1');
    await lifecycle.stop('test over');
    expect(written[1]).toEqual([{ tenantId: 't1', keyId: 'k1', at: expect.any(Date) }]);
  });
});
