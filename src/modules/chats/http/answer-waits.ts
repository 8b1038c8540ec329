import type { ServerResponse } from 'node:http';
import { Injectable } from '@nestjs/common';
import { setTimeout as pause } from 'node:timers/promises';
import { type AppError, isUnavailable, unavailable } from '../../../common/errors';
import { Lifecycle, OnStop, StopStage } from '../../../platform/lifecycle';
import { type Chat, ChatStreams, type Unwatch } from '../contract';
import type { EndedRun } from './doors';

/** Of the time of running requests when the server stops: what is left is for the answers to get out. */
const SHARE_OF_REQUESTS = 0.7;

/**
 * Waiting for the end of a run, for answers over plain REST. A wait ends with the run, with the caller's leaving or with
 * the server's stop, in which it gets most of the requests' time; the run goes on in any case.
 */
@Injectable()
export class AnswerWaits {
  private readonly waiting = new Set<(error: AppError) => void>();
  private allGone: (() => void) | undefined;
  private over = false;

  constructor(
    private readonly runs: ChatStreams,
    private readonly lifecycle: Lifecycle,
  ) {}

  /**
   * @param gone what it is when the chat is deleted meanwhile
   * @throws 503 when the server stops first: the same call again, with its key, gets the same answer
   */
  async ended(chat: Chat, runId: string, response: ServerResponse, gone: () => AppError): Promise<EndedRun> {
    const { promise, resolve, reject } = deferred<EndedRun>();
    const isLeft = (): void => reject(unavailable('The caller has left', { outcome: 'unknown' }));
    this.waiting.add(reject);
    response.once('close', isLeft);
    if (response.destroyed) isLeft();
    if (this.over) reject(stopping());
    // However late it comes, also after the end: what is watched is unwatched.
    void this.watch(chat, runId, resolve, () => reject(gone())).then(
      (unwatch) => promise.then(unwatch, unwatch),
      reject,
    );
    try {
      return await promise;
    } finally {
      this.waiting.delete(reject);
      if (this.waiting.size === 0) this.allGone?.();
      response.removeListener('close', isLeft);
    }
  }

  private async watch(
    chat: Chat,
    runId: string,
    onEnd: (event: EndedRun) => void,
    onDeleted: () => void,
  ): Promise<Unwatch> {
    try {
      return await this.runs.follow(chat, runId, -1, (event) => {
        if (event.type === 'ended') onEnd(event);
        else if (event.type === 'deleted') onDeleted();
      });
    } catch (error) {
      // "Nothing has happened" would be wrong: the message is stored.
      if (isUnavailable(error)) throw unavailable(error.message, { outcome: 'unknown', cause: error });
      throw error;
    }
  }

  @OnStop(StopStage.requests, Infinity)
  async giveUp(): Promise<void> {
    const graceMs = this.lifecycle.stageLeftMs * SHARE_OF_REQUESTS;
    if (this.waiting.size > 0) {
      const { promise, resolve } = deferred<undefined>();
      this.allGone = () => resolve(undefined);
      const timer = new AbortController();
      await Promise.race([promise, pause(graceMs, undefined, { signal: timer.signal }).catch(() => undefined)]);
      timer.abort();
    }
    this.over = true;
    for (const reject of [...this.waiting]) reject(stopping());
  }
}

function stopping(): AppError {
  return unavailable('The server is stopping; ask again with the same key to get the answer', { outcome: 'unknown' });
}

interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: AppError) => void;
}

function deferred<T>(): Deferred<T> {
  let resolve: Deferred<T>['resolve'] = () => undefined;
  let reject: Deferred<T>['reject'] = () => undefined;
  const promise = new Promise<T>((done, fail) => {
    resolve = done;
    reject = fail;
  });
  return { promise, resolve, reject };
}
