import { SharedSecrets } from '../../src/modules/admin';
import { InstanceRepository } from '../../src/platform/database';
import { Secrets } from '../../src/platform/secrets';
import { openTestDatabase, type OpenTestDatabase } from '../support/open-database';

const [JWT, OTHER_JWT] = ['j'.repeat(32), 'k'.repeat(32)] as const;
const [FIRST, SECOND, THIRD] = ['1'.repeat(64), '2'.repeat(64), '3'.repeat(64)] as const;
const ALONE = true;
const AMONG_OTHERS = false;
const NOT_THEIR_JWT = /^The secret of user tokens .* is not that of the servers which run on this database/;
const NOT_THEIR_KEY =
  /^The encryption key .* is not that of the servers which run on this database: .*ENCRYPTION_KEYS_OLD$/;

let site: OpenTestDatabase;
let instance: InstanceRepository;
beforeEach(async () => {
  site = await openTestDatabase();
  instance = new InstanceRepository(site.open.system);
});
afterEach(() => site.close());

/** A start with these secrets. */
function starts(isAlone: boolean, jwt: string, key: string, old: readonly string[] = []): Promise<void> {
  return new SharedSecrets(instance, new Secrets('master', jwt, key, undefined, old)).agree(isAlone);
}

const kept = async (): Promise<object | undefined> =>
  (await site.database.sql('SELECT jwt_fingerprint, encryption_fingerprint FROM instance'))[0];

describe('W9: the secrets that servers on one database share', () => {
  it('one that joins others has to have theirs', async () => {
    await starts(ALONE, JWT, FIRST);
    await starts(AMONG_OTHERS, JWT, FIRST);
    const before = await kept();
    await expect(starts(AMONG_OTHERS, OTHER_JWT, FIRST)).rejects.toThrow(NOT_THEIR_JWT);
    await expect(starts(AMONG_OTHERS, JWT, SECOND)).rejects.toThrow(NOT_THEIR_KEY);
    expect(await kept()).toEqual(before);
  });

  it('one that is alone may have others, and they are in force from then on', async () => {
    await starts(ALONE, JWT, FIRST);
    await starts(ALONE, OTHER_JWT, SECOND);
    await starts(AMONG_OTHERS, OTHER_JWT, SECOND);
    await expect(starts(AMONG_OTHERS, JWT, SECOND)).rejects.toThrow(NOT_THEIR_JWT);
  });

  it('of several that start at once on a database that knows none, one decides', async () => {
    const jwts = [JWT, OTHER_JWT, 'l'.repeat(32), 'm'.repeat(32)];
    const outcomes = await Promise.allSettled(jwts.map((jwt) => starts(AMONG_OTHERS, jwt, FIRST)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('a new encryption key comes in by one after the other, when all can read it', async () => {
    await starts(ALONE, JWT, FIRST);
    // All know the one that is to come; one after the other encrypts with it.
    await starts(AMONG_OTHERS, JWT, FIRST, [SECOND]);
    await starts(AMONG_OTHERS, JWT, SECOND, [FIRST]);
    await starts(AMONG_OTHERS, JWT, FIRST, [SECOND]);
    await starts(AMONG_OTHERS, JWT, SECOND, [FIRST]);
    // One that cannot read what they encrypt is refused, and so is one that skips a key.
    await expect(starts(AMONG_OTHERS, JWT, FIRST)).rejects.toThrow(NOT_THEIR_KEY);
    await expect(starts(AMONG_OTHERS, JWT, THIRD, [FIRST])).rejects.toThrow(NOT_THEIR_KEY);
    await starts(AMONG_OTHERS, JWT, SECOND);
  });

  it('are not to be found in what is kept, which is of this installation alone', async () => {
    await starts(ALONE, JWT, FIRST);
    const before = await kept();
    expect(before).toEqual({
      jwt_fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
      encryption_fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    await site.database.sql('UPDATE instance SET instance_id = gen_random_uuid()');
    await starts(ALONE, JWT, FIRST);
    const after = await kept();
    for (const [name, value] of Object.entries(before ?? {}))
      expect(Object.entries(after ?? {})).not.toContainEqual([name, value]);
  });
});
