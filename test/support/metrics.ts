import type { Api } from './http/api';

/** The value of a series on /metrics, labels included; 0 where it is missing. */
export async function metricOf(api: Api, series: string): Promise<number> {
  const { body } = await api.get<string>('/metrics');
  const line = body.split('\n').find((each) => each.startsWith(`${series} `));
  return Number(line?.slice(series.length + 1) ?? 0);
}
