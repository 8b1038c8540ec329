import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Every } from '../../../platform/lifecycle';
import { describeError, Log } from '../../../platform/logging';
import { Secrets } from '../../../platform/secrets';
import { TenantsService, UsersService } from '../../tenants';
import { ERASE } from './erase.job';
import { ErasureFile } from './erasure-file';
import { ErasuresRepository, type LostErasure } from './erasures.repository';

const AGAIN_MS = 10_000;
const USERS = 1000;

/**
 * A database that was put back from a backup has those again who were erased since: the list beside it says which erases it
 * has lost, and they are done anew, under the same random id. Looked at once, when the server starts.
 */
@Injectable()
export class LostErasures implements OnApplicationBootstrap {
  private isDone = false;

  constructor(
    private readonly file: ErasureFile,
    private readonly erasures: ErasuresRepository,
    private readonly tenants: TenantsService,
    private readonly users: UsersService,
    private readonly secrets: Secrets,
    private readonly log: Log,
  ) {}

  /** Before the first call is taken. What cannot be read now the timer reads. */
  onApplicationBootstrap(): Promise<void> {
    return this.look();
  }

  @Every(AGAIN_MS, 'erases that a restore has lost')
  async look(): Promise<void> {
    if (this.isDone) return;
    try {
      const lines = await this.file.read();
      for (const tenantId of new Set(lines.map((line) => line.tenant_id)))
        await this.ofTenant(
          tenantId,
          lines.filter((line) => line.tenant_id === tenantId),
        );
      this.isDone = true;
    } catch (error) {
      this.log.warn(
        { error: describeError(error) },
        'it cannot be told whether a restore has lost erases; looking again',
      );
    }
  }

  private async ofTenant(tenantId: string, lines: readonly LostErasure[]): Promise<void> {
    const known = await this.erasures.known(
      tenantId,
      lines.map((line) => line.erasure_id),
    );
    const lost = lines.filter((line) => !known.has(line.erasure_id));
    if (lost.length === 0 || !(await this.tenants.exists(tenantId))) return;
    const found = await this.whose(tenantId, lost);
    for (const line of lost) {
      const { erasure_id } = line;
      await this.erasures.restore(line, found.get(erasure_id), ERASE.job(erasure_id, { erasure_id }));
    }
    this.log.warn(
      { tenant_id: tenantId, lost: lost.length, users: found.size },
      'erases that a restore has lost are done anew',
    );
  }

  /** The users whose these are, by erasure, as far as the tenant has them. */
  private async whose(tenantId: string, lost: readonly LostErasure[]): Promise<ReadonlyMap<string, string>> {
    const byMac = new Map(lost.map((line) => [`${line.mac_key_id} ${line.user_mac?.toString('base64')}`, line]));
    const keys = new Set(lost.map((line) => line.mac_key_id));
    const found = new Map<string, string>();
    for (let page = await this.users.idsAfter(tenantId, '', USERS); page.length > 0;) {
      for (const userId of page)
        for (const keyId of keys) {
          const mac = this.secrets.personMac(tenantId, userId, keyId)?.toString('base64');
          const line = byMac.get(`${keyId} ${mac}`);
          if (line !== undefined) found.set(line.erasure_id, userId);
        }
      page = await this.users.idsAfter(tenantId, page.at(-1) ?? '', USERS);
    }
    return found;
  }
}
