import { Injectable } from '@nestjs/common';
import { type SecretBox, Secrets } from '../../../platform/secrets';
import { ChannelsRepository } from './channels.repository';

/** The keys of tenants' channels, sealed at rest; each can be opened as that channel's only. */
@Injectable()
export class ChannelKeys {
  private readonly box: SecretBox;

  constructor(
    secrets: Secrets,
    private readonly channels: ChannelsRepository,
  ) {
    this.box = secrets.box();
  }

  seal(tenantId: string, channelId: string, key: string | null): string | null {
    return key === null ? null : this.box.seal(key, contextOf(tenantId, channelId));
  }

  /** Throws when the key that sealed it is not known any more. */
  open(tenantId: string, channelId: string, sealed: string | null): string | undefined {
    return sealed === null ? undefined : this.box.open(sealed, contextOf(tenantId, channelId));
  }

  /** How many of a tenant's are sealed with keys that are not ours. */
  async unreadable(tenantId: string): Promise<number> {
    const channels = await this.channels.all(tenantId);
    return channels.filter(({ api_key }) => api_key !== null && !this.box.knows(api_key)).length;
  }
}

function contextOf(tenantId: string, channelId: string): string {
  return `channel ${tenantId} ${channelId}`;
}
