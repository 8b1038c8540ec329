import { performance } from 'node:perf_hooks';

/** What this process's event loop has done since it began, in ms; reading it costs about a microsecond. */
export abstract class LoopTime {
  /** `active`: it worked, or waited for a processor; `idle`: it waited for something to happen. */
  abstract read(): { readonly active: number; readonly idle: number };
}

export class SystemLoopTime extends LoopTime {
  read(): { readonly active: number; readonly idle: number } {
    return performance.eventLoopUtilization();
  }
}
