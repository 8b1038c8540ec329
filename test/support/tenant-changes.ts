import type { Answer, Api } from './http/api';
import type { ChangesBody } from './messages';
import { until } from './poll';
import { bodyOf } from './rooms';

export type TenantChange = ChangesBody['changes'][number] & { readonly room_id: string };

export interface TenantChangesBody {
  readonly changes: readonly TenantChange[];
  readonly next: string;
  readonly has_more: boolean;
  readonly epoch: number;
}

/** A back end that follows the changes of its tenant. */
export class ChangesFollower {
  /** What it was told, in this order. */
  readonly told: TenantChange[] = [];

  private constructor(
    private readonly by: Api,
    private cursor: string,
  ) {}

  /** Where the feed stands now. */
  static async begin(by: Api): Promise<ChangesFollower> {
    const { changes, next, has_more } = bodyOf(await by.get<TenantChangesBody>('/changes'));
    if (changes.length > 0 || has_more) throw new Error('the first answer has changes');
    return new ChangesFollower(by, next);
  }

  /** Reads to the end. @returns what is new */
  async read(limit = 100): Promise<readonly TenantChange[]> {
    const from = this.told.length;
    for (;;) {
      const page = bodyOf(await this.page(limit));
      if (page.changes.length > limit) throw new Error(`${page.changes.length} changes in a page of ${limit}`);
      this.told.push(...page.changes);
      this.cursor = page.next;
      if (!page.has_more) return this.told.slice(from);
    }
  }

  /** The page behind what was read, as it is answered. */
  page(limit = 100): Promise<Answer<TenantChangesBody>> {
    return this.by.get<TenantChangesBody>(`/changes?after=${this.cursor}&limit=${limit}`);
  }

  of(roomId: string): TenantChange[] {
    return this.told.filter(({ room_id }) => room_id === roomId);
  }

  /** Reads until it was told of a room's revision. */
  async reach(roomId: string, rev: number, limit = 100): Promise<void> {
    await until(
      () => this.read(limit),
      () => this.of(roomId).some((change) => change.rev >= rev),
    );
  }
}

/** What somebody keeps who applies changes in the order in which they come: of each message and member the last that was told. */
export function kept(changes: readonly TenantChange[]): Map<string, unknown> {
  return new Map(
    changes.map((change) => [change.message_id ?? `${change.type.split('.')[0]} ${change.user_id ?? ''}`, change]),
  );
}
