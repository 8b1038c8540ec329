import type { JobHandler } from './job';

/** Which handler does which kind. */
export class JobHandlers {
  private readonly byKind = new Map<string, JobHandler>();

  /**
   * Call while the application starts (`onModuleInit`). Jobs of a kind that has no handler wait.
   * @throws when the kind has a handler already, or its numbers make no sense
   */
  add(kind: string, handler: JobHandler): void {
    if (this.byKind.has(kind)) throw new Error(`Two handlers for jobs of kind ${kind}`);
    if (handler.schedule.length === 0) throw new Error(`Jobs of kind ${kind} have no schedule`);
    for (const number of [handler.maxAttempts, handler.concurrency, handler.perTenant ?? 1, handler.slots ?? 1])
      if (!Number.isInteger(number) || number < 1)
        throw new Error(`Jobs of kind ${kind}: limits are whole numbers ≥ 1`);
    this.byKind.set(kind, handler);
  }

  get(kind: string): JobHandler | undefined {
    return this.byKind.get(kind);
  }

  all(): IterableIterator<[string, JobHandler]> {
    return this.byKind.entries();
  }
}
