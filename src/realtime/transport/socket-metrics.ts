import { Injectable } from '@nestjs/common';
import type { AppError, ErrorCode } from '../../common/errors';
import { type CounterHandle, Metrics } from '../../platform/metrics';
import { closeLabel } from './close-codes';
import { Connections } from './connections';
import { SocketDoors } from './doors';
import { TooManyAtOnce } from './upgrade-pace';

const REASONS: Partial<Record<ErrorCode, string>> = {
  AUTHENTICATION_ERROR: 'unauthenticated',
  AUTHORIZATION_ERROR: 'forbidden',
  NOT_FOUND: 'unknown_path',
  RATE_LIMIT_EXCEEDED: 'limit',
  SERVICE_UNAVAILABLE: 'unavailable',
  VALIDATION_ERROR: 'malformed',
};

/** The series of the sockets. */
@Injectable()
export class SocketMetrics {
  private readonly frames: CounterHandle<'chatapi_ws_sent_frames_total'>;
  private readonly bytes: CounterHandle<'chatapi_ws_sent_bytes_total'>;

  constructor(
    private readonly metrics: Metrics,
    private readonly connections: Connections,
    private readonly doors: SocketDoors,
  ) {
    this.frames = metrics.counter('chatapi_ws_sent_frames_total');
    this.bytes = metrics.counter('chatapi_ws_sent_bytes_total');
    metrics.collect('chatapi_ws_connections', () => this.counted());
    metrics.collect('chatapi_ws_queue_bytes', () => [{ labels: {}, value: this.waiting() }]);
  }

  sent(frames: number, bytes: number): void {
    this.frames.inc(frames);
    this.bytes.inc(bytes);
  }

  closed(code: number): void {
    this.metrics
      .counter('chatapi_ws_closes_total')
      .labels({ code: closeLabel(code) })
      .inc();
  }

  refused(error: AppError): void {
    const reason = error instanceof TooManyAtOnce ? 'paced' : (REASONS[error.code] ?? 'other');
    this.metrics.errors(error.code);
    this.metrics.counter('chatapi_ws_refused_total').labels({ reason }).inc();
    if (reason === 'unauthenticated' || reason === 'forbidden')
      this.metrics.counter('chatapi_auth_failures_total').labels({ reason }).inc();
  }

  private counted(): { labels: { path: string }; value: number }[] {
    const counts = new Map(this.doors.paths.map((path) => [path, 0]));
    for (const { door } of this.connections.all()) counts.set(door.path, (counts.get(door.path) ?? 0) + 1);
    return [...counts].map(([path, value]) => ({ labels: { path }, value }));
  }

  private waiting(): number {
    let bytes = 0;
    for (const connection of this.connections.all()) bytes += connection.waiting;
    return bytes;
  }
}
