import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Link } from 'wouter';
import { bodyOf, useApi } from '../../../api/client';
import { useSession } from '../../../api/session';
import { Button, FaultNote } from '../../../ui';
import { useTenant } from '../tenant';
import { useOneTenant } from '../tenants/data';
import type { Item } from './data';

const NUMBER = new Intl.NumberFormat();
const WHOLE = 100;
/** From here on a budget is soon spent. */
const NEARLY = 0.8;
const EVERY_MS = 10_000;
const DAY_LETTERS = 'YYYY-MM-DD'.length;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The day that budgets are of. */
export function today(): string {
  return new Date().toISOString().slice(0, DAY_LETTERS);
}

export function tokensOf({ prompt_tokens: prompt = 0, completion_tokens: completion = 0 }: Partial<Item>): number {
  return prompt + completion;
}

/** Tokens that a tenant has used today. */
function useToday(tenantId: string): UseQueryResult<number> {
  const api = useApi();
  const day = today();
  return useQuery({
    queryKey: ['usage', tenantId, 'today', day],
    queryFn: async () => {
      const query = { tenant_id: tenantId, group_by: 'day', from: day, to: day } as const;
      const { items } = await bodyOf(api.GET('/admin/usage', { params: { query } }));
      return items.reduce((sum, item) => sum + tokensOf(item), 0);
    },
    refetchInterval: EVERY_MS,
  });
}

/** What a user may use a day; null: as much as they like. */
export function useUserBudget(): number | null {
  const [tenantId = ''] = useTenant();
  const { data } = useOneTenant(tenantId);
  return limitOf(data?.effective.limits['tokens_per_user_per_day']?.value);
}

function limitOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

/** How much of the day's budgets is left. @param onUsers shows today by user */
export function Budget({ onUsers }: { readonly onUsers: () => void }): ReactNode {
  const [tenantId = ''] = useTenant();
  const { credential } = useSession();
  const tenant = useOneTenant(tenantId);
  const used = useToday(tenantId);
  const error = tenant.error ?? used.error;
  if (tenant.data === undefined || used.data === undefined) return error === null ? null : <FaultNote fault={error} />;
  const { limits } = tenant.data.effective;
  const limit = limitOf(limits['tokens_per_day']?.value);
  const perUser = limitOf(limits['tokens_per_user_per_day']?.value);
  const word = credential.kind === 'admin' ? 'All limits' : limit === null ? 'Set one' : 'Change it';
  const change = <Link href={`/tenants/${tenantId}/limits`}>{word}</Link>;
  return (
    <section className="card budget stack" aria-label="Budget of today">
      <div className="page-head">
        <h2>Tokens today</h2>
        <span className="muted small">{untilMidnight()}</span>
      </div>
      {limit === null ? (
        <p>
          <strong>{NUMBER.format(used.data)}</strong> used; the tenant has no budget. {change}
        </p>
      ) : (
        <>
          <p>
            <strong>{NUMBER.format(used.data)}</strong> of {NUMBER.format(limit)} used
            {used.data >= limit
              ? ': the budget is spent, and whoever asks a model is refused.'
              : `, ${NUMBER.format(limit - used.data)} left.`}{' '}
            {change}
          </p>
          <Meter used={used.data} limit={limit} label="Tokens of today’s budget" />
        </>
      )}
      {perUser !== null && (
        <p className="row">
          <span>Each user may use {NUMBER.format(perUser)} of them a day.</span>
          <Button className="small" onClick={onUsers}>
            Show today by user
          </Button>
        </p>
      )}
    </section>
  );
}

function untilMidnight(): string {
  const hours = Math.ceil((DAY_MS - (Date.now() % DAY_MS)) / HOUR_MS);
  return `a day is of UTC; this one ends within ${hours === 1 ? 'an hour' : `${hours} hours`}`;
}

interface MeterProps {
  readonly used: number;
  readonly limit: number;
  readonly label: string;
}

/** How much of a budget is spent. */
export function Meter({ used, limit, label }: MeterProps): ReactNode {
  const part = limit === 0 ? 1 : Math.min(1, used / limit);
  const percent = Math.floor(part * WHOLE);
  return (
    <div
      className="meter"
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={WHOLE}
      aria-valuenow={percent}
      aria-valuetext={`${percent} % spent`}
      data-tone={part >= 1 ? 'bad' : part >= NEARLY ? 'warn' : 'plain'}
    >
      <span style={{ width: `${part * WHOLE}%` }} />
    </div>
  );
}
