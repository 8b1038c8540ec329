import { Injectable } from '@nestjs/common';
import { Every, OnStop, StopStage } from '../../platform/lifecycle';
import { KeysRepository } from './keys.repository';

const FLUSH_MS = 5000;

/** Collects when keys were used and writes it every 5 s and at the end, in one statement: no write per request. */
@Injectable()
export class KeyUses {
  private uses = new Map<string, { tenantId: string; keyId: string; at: number }>();

  constructor(private readonly repository: KeysRepository) {}

  note(tenantId: string, keyId: string): void {
    const known = this.uses.get(keyId);
    if (known) known.at = Date.now();
    else this.uses.set(keyId, { tenantId, keyId, at: Date.now() });
  }

  @Every(FLUSH_MS, 'last use of API keys')
  @OnStop(StopStage.workers)
  async flush(): Promise<void> {
    if (this.uses.size === 0) return;
    const batch = [...this.uses.values()].map((use) => ({ ...use, at: new Date(use.at) }));
    this.uses = new Map();
    await this.repository.touch(batch);
  }
}
