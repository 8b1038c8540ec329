import { Injectable } from '@nestjs/common';
import { type Fingerprints, InstanceRepository } from '../../platform/database';
import { Secrets } from '../../platform/secrets';

/**
 * Whether this server was given the secrets of those that run on its database already: a user token that one of them has
 * signed would be refused by the next, and what one has encrypted would be of no use to it.
 *
 * The database keeps fingerprints from which no secret can be found. A server that is alone decides what they are: JWT_SECRET
 * may change (tokens end with it), and of the encryption key `KeyCheck` has the word. One that joins others has to have
 * theirs. A new encryption key comes in by restarting one after the other, each with the former one in ENCRYPTION_KEYS_OLD;
 * before, it has been in ENCRYPTION_KEYS_OLD of all, so that those which wait for their turn can read it. From the first
 * that encrypts with it on, a server that does not know it is refused.
 */
@Injectable()
export class SharedSecrets {
  constructor(
    private readonly instance: InstanceRepository,
    private readonly secrets: Secrets,
  ) {}

  /**
   * To be asked at a start, after the encryption key was found good. Throws with one line.
   * @param isAlone no other server runs on this database
   */
  async agree(isAlone: boolean): Promise<void> {
    const { jwtSecret, encryptionKey, oldEncryptionKeys } = this.secrets.fingerprints(await this.instance.instanceId());
    const ours: Fingerprints = { jwt: jwtSecret, encryption: encryptionKey };
    if (isAlone) return this.instance.keepFingerprints(ours);
    const theirs = await this.instance.agreeOnFingerprints(ours);
    if (theirs.jwt !== ours.jwt) throw new Error(OTHER_JWT_SECRET);
    if (theirs.encryption === ours.encryption) return;
    if (!oldEncryptionKeys.includes(theirs.encryption)) throw new Error(OTHER_ENCRYPTION_KEY);
    await this.instance.keepFingerprints(ours);
  }
}

const OTHER_JWT_SECRET =
  'The secret of user tokens (JWT_SECRET, or secrets/jwt-secret in DATA_DIR) is not that of the servers which run on this database: give all the same one';
const OTHER_ENCRYPTION_KEY =
  'The encryption key (ENCRYPTION_KEY, or secrets/encryption-key in DATA_DIR) is not that of the servers which run on this database: give all the same one, or add theirs to ENCRYPTION_KEYS_OLD';
