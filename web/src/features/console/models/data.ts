import { keepPreviousData, useQuery, useQueryClient, type UseQueryResult } from '@tanstack/react-query';
import { bodyOf, type components, useApi } from '../../../api/client';
import { useSession } from '../../../api/session';

type Schemas = components['schemas'];
export type Channel = Schemas['ChannelDto'];
export type Preset = Schemas['PresetDto'];
export type NewChannel = Schemas['CreateChannelDto'];
export type ChannelChange = Schemas['PatchChannelDto'];
export type NewPreset = Schemas['CreatePresetDto'];
export type PresetChange = Schemas['PatchPresetDto'];
export type Fault = Schemas['ChannelFaultDto'];
export type Tested = Schemas['ChannelTestDto'];

export const ROWS = 50;

export function useChannels(offset: number): UseQueryResult<Schemas['ChannelPageDto']> {
  const api = useApi();
  return useQuery({
    queryKey: ['channels', offset],
    queryFn: async () => (await bodyOf(api.GET('/api/channels', { params: { query: { limit: ROWS, offset } } }))).data,
    placeholderData: keepPreviousData,
  });
}

export function usePresets(offset: number): UseQueryResult<Schemas['PresetPageDto']> {
  const api = useApi();
  return useQuery({
    queryKey: ['presets', offset],
    queryFn: async () => (await bodyOf(api.GET('/api/presets', { params: { query: { limit: ROWS, offset } } }))).data,
    placeholderData: keepPreviousData,
  });
}

/** What the server's environment offers to all tenants; the master key alone may see its faults. */
export function useEnvironment(): UseQueryResult<Schemas['EnvironmentChannelDto']> {
  const api = useApi();
  const { credential } = useSession();
  return useQuery({
    queryKey: ['channels', 'environment'],
    queryFn: async () => (await bodyOf(api.GET('/api/channels/environment'))).data,
    enabled: credential.kind === 'master',
  });
}

/** Reads channels and presets anew after `act`, whether it went well or not. */
export function useActing(): (act: Promise<unknown>) => Promise<void> {
  const queries = useQueryClient();
  return async (act) => {
    try {
      await act;
    } finally {
      await Promise.all([['channels'], ['presets']].map((queryKey) => queries.invalidateQueries({ queryKey })));
    }
  };
}

/** Undefined: it is not a number. Empty is none. */
export function numberOf(text: string): number | null | undefined {
  if (text.trim() === '') return null;
  const value = Number(text);
  return Number.isNaN(value) ? undefined : value;
}

export function textOf(value: number | null | undefined): string {
  return value === null || value === undefined ? '' : String(value);
}
