import { Injectable, type OnModuleInit } from '@nestjs/common';
import { every, Lifecycle, StopStage } from '../../platform/lifecycle';
import { Log } from '../../platform/logging';
import { KeysRepository } from './keys.repository';

const FLUSH_MS = 5000;

/** Collects when keys were used and writes it every 5 s and at the end, in one statement: no write per request. */
@Injectable()
export class KeyUses implements OnModuleInit {
  private uses = new Map<string, { tenantId: string; keyId: string; at: number }>();

  constructor(
    private readonly repository: KeysRepository,
    private readonly lifecycle: Lifecycle,
    private readonly log: Log,
  ) {}

  onModuleInit(): void {
    const timer = every(FLUSH_MS, 'last use of API keys', () => this.flush(), this.log);
    this.lifecycle.onStop(StopStage.workers, 'last use of API keys', async () => {
      await timer.stop();
      await this.flush();
    });
  }

  note(tenantId: string, keyId: string): void {
    const known = this.uses.get(keyId);
    if (known) known.at = Date.now();
    else this.uses.set(keyId, { tenantId, keyId, at: Date.now() });
  }

  async flush(): Promise<void> {
    if (this.uses.size === 0) return;
    const batch = [...this.uses.values()].map((use) => ({ ...use, at: new Date(use.at) }));
    this.uses = new Map();
    await this.repository.touch(batch);
  }
}
