import { Injectable } from '@nestjs/common';
import type { Snapshot } from '../../platform/database';
import { type ExportPages, TenantExport, withIds } from '../../platform/tenant-data';

/** What exports hold of a tenant's ways to models: never a key. */
@Injectable()
export class ModelsExportRepository {
  @TenantExport('channel')
  channels(snapshot: Snapshot): ExportPages {
    return withIds(
      snapshot.pages<{ channel_id: string }>(
        `SELECT channel_id, name, provider, base_url, model, priority, weight, enabled, max_tokens, temperature, timeout_ms,
           options, created_at, updated_at FROM model_channels WHERE tenant_id = $1 ORDER BY channel_id`,
        [snapshot.tenantId],
      ),
      { channel_id: 'channel' },
    );
  }

  @TenantExport('preset')
  presets(snapshot: Snapshot): ExportPages {
    return snapshot.pages(
      `SELECT name, system_prompt, model, temperature, max_tokens, context_messages, options, created_at, updated_at
       FROM presets WHERE tenant_id = $1 ORDER BY name`,
      [snapshot.tenantId],
    );
  }
}
