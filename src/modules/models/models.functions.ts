import { answer, schemaFunction } from '../../platform/database';
import type { ChannelRow } from './channels/channels.repository';
import type { PresetRow } from './presets/presets.repository';

/** 'full': the tenant has `p_limit` already; 'taken': the name. */
export const channelCreate = schemaFunction(
  'channel_create',
  { p_id: 'uuid', p_limit: 'integer', p_api_key: 'text?', p_values: 'jsonb' },
  answer<{ readonly channel: ChannelRow }>({}, ['ok', 'full', 'taken']),
);

/** The same of presets. */
export const presetCreate = schemaFunction(
  'preset_create',
  { p_limit: 'integer', p_values: 'jsonb' },
  answer<{ readonly preset: PresetRow }>({}, ['ok', 'full', 'taken']),
);
