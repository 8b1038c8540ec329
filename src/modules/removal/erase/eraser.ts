import { Injectable } from '@nestjs/common';
import { Clock } from '../../../common/time';
import { Metrics } from '../../../platform/metrics';
import {
  ERASE_STEPS,
  type EraseBatch,
  type EraseStepName,
  EraseSteps,
  type EraseWork,
  Paced,
} from '../../../platform/tenant-data';
import { RoomFeed } from '../../../realtime';
import { ErasureFile } from './erasure-file';
import { END, ErasuresRepository, type RunningErasure } from './erasures.repository';

/** So long it goes on before other tenants have their turn. */
const TURN_MS = 30_000;
/** Rows of one statement. */
const ROWS = 500;

const STEPS = Object.keys(ERASE_STEPS) as readonly EraseStepName[];

/** How far one call has come: to the end; its time was up; or something of the user is in use, look again soon. */
export type EraseProgress = 'done' | 'more' | 'waits';

/** Takes a person out of a tenant, batch by batch, from wherever the row of the erase says that it is. */
@Injectable()
export class Eraser {
  constructor(
    private readonly erasures: ErasuresRepository,
    private readonly steps: EraseSteps,
    private readonly file: ErasureFile,
    private readonly feed: RoomFeed,
    private readonly metrics: Metrics,
    private readonly clock: Clock,
  ) {}

  /** @throws what `signal` aborts with, 503, and where another worker is at it */
  async advance(
    tenantId: string,
    erasureId: string,
    signal: AbortSignal,
    { mostMs = TURN_MS, rows = ROWS } = {},
  ): Promise<EraseProgress> {
    const paced = new Paced(this.clock, signal, mostMs);
    for (;;) {
      const erasure = await this.erasures.begin(tenantId, erasureId, STEPS[0] ?? 'users');
      if (erasure === undefined) return 'done';
      const progress = await this.pass(paced, erasure, rows);
      if (progress !== 'done') return progress;
      // Before the commit that ends it: a backup of before can be restored at any time after it.
      await this.file.keep(erasure);
      if ((await this.erasures.endPass(tenantId, erasureId)) === 'done') return 'done';
    }
  }

  /** All steps, from the one that it is at. */
  private async pass(paced: Paced, erasure: RunningErasure, rows: number): Promise<EraseProgress> {
    let at = erasure.step_cursor;
    for (const [i, name] of STEPS.entries()) {
      if (erasure.step === END || i < STEPS.indexOf(erasure.step as EraseStepName)) continue;
      const work = this.steps.get(name);
      for (let isOver = false; !isOver;) {
        const step = { name, at, next: STEPS[i + 1] ?? END };
        await work.before?.(erasure.tenant_id);
        const batch = await paced.piece(() => this.erasures.batch(erasure, step, work, rows));
        this.tell(erasure.tenant_id, work, batch);
        at = batch.after;
        isOver = at === null;
        if (batch.waits === true) return 'waits';
        if (paced.isOver) return 'more';
      }
    }
    return 'done';
  }

  private tell(tenantId: string, work: EraseWork, batch: EraseBatch): void {
    const rows = Object.values(batch.counts).reduce((sum, n) => sum + n, 0);
    if (rows > 0) this.metrics.counter('chatapi_removed_rows_total').labels({ work: 'erase' }).inc(rows);
    for (const roomId of batch.rooms ?? []) this.feed.touchRoom(tenantId, roomId);
    work.done?.(tenantId, batch);
  }
}
