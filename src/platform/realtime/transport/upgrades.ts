import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { Injectable } from '@nestjs/common';
import { AppError, notFound, unavailable } from '../../../common/errors';
import { requestIdOf } from '../../http';
import { Lifecycle } from '../../lifecycle';
import { describeError, Log } from '../../logging';
import { Acceptor, type RawUpgrade } from './acceptor';
import { type SocketDoor, SocketDoors } from './doors';
import { handshakeFault } from './handshake';
import { answerUpgrade } from './http-answer';
import { serveAsRequest } from './plain-request';
import { SocketMetrics } from './socket-metrics';
import { UpgradeChecks } from './upgrade-checks';
import { readUpgrade, type UpgradeRequest } from './upgrade-request';

/** Takes the upgrades of the HTTP server: all checks first, a socket afterwards. */
@Injectable()
export class Upgrades {
  constructor(
    private readonly doors: SocketDoors,
    private readonly checks: UpgradeChecks,
    private readonly acceptor: Acceptor,
    private readonly lifecycle: Lifecycle,
    private readonly metrics: SocketMetrics,
    private readonly log: Log,
  ) {}

  /** The paths that take sockets. */
  get paths(): readonly string[] {
    return this.doors.paths;
  }

  /** Call once per server, before it listens. */
  install(server: Server): void {
    server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      const upgrade = { request, socket, head };
      if (request.headers.upgrade?.toLowerCase() !== 'websocket') {
        serveAsRequest(server, upgrade);
        return;
      }
      // Node has stopped listening, ws has not begun: a peer that resets now must not end the process.
      socket.on('error', () => socket.destroy());
      void this.handle(upgrade, readUpgrade(request, requestIdOf(request)));
    });
  }

  private async handle(upgrade: RawUpgrade, request: UpgradeRequest): Promise<void> {
    const fault = handshakeFault(upgrade.request);
    if (fault !== undefined) {
      this.note(request, fault.error);
      answerUpgrade(upgrade.socket, fault.error, request.id, fault);
      return;
    }
    const door = this.doors.find(request.path);
    try {
      this.refuseWhileStopping();
      if (door === undefined) throw notFound('Route');
      const admission = await this.checks.check(request, door);
      this.refuseWhileStopping();
      if (!upgrade.socket.destroyed) this.acceptor.accept(upgrade, door, admission);
    } catch (thrown) {
      this.refuse(upgrade, request, door ?? this.doors.standard, thrown);
    }
  }

  private refuseWhileStopping(): void {
    if (this.lifecycle.stopping) throw unavailable('The server is stopping');
  }

  private refuse(upgrade: RawUpgrade, request: UpgradeRequest, door: SocketDoor, thrown: unknown): void {
    const error = thrown instanceof AppError ? thrown : new AppError('INTERNAL_ERROR', 'Internal server error');
    if (error !== thrown)
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
