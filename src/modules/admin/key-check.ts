import { Injectable } from '@nestjs/common';
import { InstanceRepository } from '../../platform/database';
import { type SecretBox, Secrets } from '../../platform/secrets';
import { ChannelKeys } from '../models';
import { TenantsService } from '../tenants';
import { WebhookEndpoints } from '../webhooks';

const CONTEXT = 'canary';
/** Tenants that are looked through at the same time. */
const AT_ONCE = 4;

/**
 * Whether the server was given the keys that its database's secrets are sealed with, asked before anything is opened.
 *
 * The database keeps a sealed canary per key that it was started with. One at least must open: else the key was
 * replaced and the former one is missing, also where nothing is sealed yet (but not where this start has made the key:
 * that of a DATA_DIR which was not kept is needed only by what it sealed). Where one does not open, or an earlier
 * release kept none, the tenants' secrets are looked through: a key may go when nothing is sealed with it.
 */
@Injectable()
export class KeyCheck {
  private readonly box: SecretBox;

  constructor(
    private readonly instance: InstanceRepository,
    private readonly tenants: TenantsService,
    private readonly webhooks: WebhookEndpoints,
    private readonly channels: ChannelKeys,
    private readonly secrets: Secrets,
  ) {
    this.box = secrets.box();
  }

  /** Throws with one line; else the key in force has its canary. */
  async checkKey(): Promise<void> {
    const canaries = await this.instance.keyCanaries();
    const known = canaries.filter((canary) => this.opens(canary));
    const isComplete = canaries.length > 0 && known.length === canaries.length;
    const lost = isComplete ? 0 : await this.unreadable();
    const isReplaced = canaries.length > 0 && known.length === 0 && !this.secrets.isNewEncryptionKey;
    if (isReplaced || lost > 0) throw new Error(refusal(lost));
    const isNew = !known.some((canary) => this.box.isCurrent(canary));
    if (isComplete && !isNew) return;
    const kept = isNew ? [...known, this.box.sealSecret(CONTEXT, CONTEXT)] : known;
    await this.instance.keepKeyCanaries(kept);
  }

  private opens(canary: string): boolean {
    try {
      return this.box.openSecret(canary, CONTEXT) === CONTEXT;
    } catch {
      return false;
    }
  }

  private async unreadable(): Promise<number> {
    let total = 0;
    for (let page = await this.tenants.idsAfter(); page.length > 0; page = await this.tenants.idsAfter(page.at(-1))) {
      const left = [...page];
      const walk = async (): Promise<void> => {
        for (let id = left.pop(); id !== undefined; id = left.pop()) {
          const found = await Promise.all([
            this.webhooks.countUnreadableSecrets(id),
            this.channels.countUnreadableKeys(id),
          ]);
          total += found[0] + found[1];
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, walk));
    }
    return total;
  }
}

function refusal(lost: number): string {
  return (
    'The encryption key (ENCRYPTION_KEY, or secrets/encryption-key in DATA_DIR) is not the one that this database was used with' +
    `${lost > 0 ? `, and ${lost} secret${lost === 1 ? '' : 's'} of its tenants cannot be read` : ''}: ` +
    'set the former one again, or add it to ENCRYPTION_KEYS_OLD'
  );
}
