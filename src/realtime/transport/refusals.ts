import { Injectable } from '@nestjs/common';
import { AppError, internalError } from '../../common/errors';
import { BadCredential } from '../../platform/auth';
import { describeError, Log } from '../../platform/logging';
import { FailedCredentials } from '../../platform/rate-limit';
import { Acceptor, type RawUpgrade } from './acceptor';
import { SocketDoors } from './doors';
import type { HandshakeFault } from './handshake';
import { answerUpgrade } from './raw-upgrade';
import { SocketMetrics } from './socket-metrics';
import type { UpgradeRequest } from './upgrade-request';

/** Tells clients why their upgrade is refused: over HTTP, or on a socket where they want that. */
@Injectable()
export class Refusals {
  constructor(
    private readonly doors: SocketDoors,
    private readonly acceptor: Acceptor,
    private readonly failures: FailedCredentials,
    private readonly metrics: SocketMetrics,
    private readonly log: Log,
  ) {}

  /** What is no WebSocket can be told over HTTP only. */
  malformed(upgrade: RawUpgrade, request: UpgradeRequest, fault: HandshakeFault): void {
    this.note(request, fault.error);
    answerUpgrade(upgrade.socket, fault.error, request.id, fault);
  }

  async refuse(upgrade: RawUpgrade, request: UpgradeRequest, thrown: unknown): Promise<void> {
    const door = this.doors.find(request.path) ?? this.doors.standard;
    const found = thrown instanceof AppError ? thrown : internalError(thrown);
    const error = found instanceof BadCredential ? await this.failures.refusal(found, request) : found;
    if (found !== thrown)
      this.log.error({ request_id: request.id, path: door.path, error: describeError(thrown) }, 'upgrade failed');
    this.note(request, error);
    if (upgrade.socket.destroyed) return;
    if (request.wantsCloseCodes) this.acceptor.refuse(upgrade, door, error, request.id);
    else answerUpgrade(upgrade.socket, error, request.id);
  }

  /** The path is logged where it is one of ours only: anything else in a URL may hold a secret. */
  private note(request: UpgradeRequest, error: AppError): void {
    const path = this.doors.find(request.path)?.path ?? 'none';
    this.metrics.refused(error);
    this.log.debug({ request_id: request.id, path, code: error.code }, 'upgrade refused');
  }
}
