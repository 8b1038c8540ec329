import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { Injectable } from '@nestjs/common';
import { AppError, internalError, notFound, unavailable } from '../../common/errors';
import { flat } from '../../common/text';
import { BadCredential } from '../../platform/auth';
import { requestIdOf } from '../../platform/http';
import { Lifecycle } from '../../platform/lifecycle';
import { describeError, Log } from '../../platform/logging';
import { FailedCredentials } from '../../platform/rate-limit';
import { Acceptor, SocketMetrics, type SocketServer } from './acceptor';
import type { SocketEndpoint } from './endpoint';
import { SocketEndpoints } from './endpoints';
import {
  answerUpgrade,
  destroyIt,
  handshakeFault,
  type HandshakeFault,
  type RawUpgrade,
  serveAsRequest,
} from './raw-upgrade';
import { readUpgrade, UpgradeChecks, type UpgradeRequest } from './upgrade-checks';
import { UpgradePace } from './upgrade-pace';

/** Tells clients why their upgrade is refused: over HTTP, or on a socket where they want that. */
@Injectable()
export class Refusals {
  constructor(
    private readonly endpoints: SocketEndpoints,
    private readonly acceptor: Acceptor,
    private readonly failures: FailedCredentials,
    private readonly metrics: SocketMetrics,
    private readonly log: Log,
  ) {}

  /** What is no WebSocket can be answered over HTTP only. */
  malformed(upgrade: RawUpgrade, request: UpgradeRequest, fault: HandshakeFault): void {
    this.note(request, fault.error);
    answerUpgrade(upgrade.socket, fault.error, request.id, fault);
  }

  async refuse(upgrade: RawUpgrade, request: UpgradeRequest, thrown: unknown): Promise<void> {
    const endpoint = this.endpoints.find(request.path) ?? this.endpoints.standard;
    const found = thrown instanceof AppError ? thrown : internalError(thrown);
    const error = found instanceof BadCredential ? await this.failures.refusal(found, request) : found;
    if (found !== thrown)
      this.log.error({ request_id: request.id, path: endpoint.path, error: describeError(thrown) }, 'upgrade failed');
    this.note(request, error);
    if (upgrade.socket.destroyed) return;
    if (request.wantsCloseCodes) this.acceptor.refuse(upgrade, endpoint, error, request.id);
    else answerUpgrade(upgrade.socket, error, request.id);
  }

  /** The path is logged where it is one of ours only: anything else in a URL may hold a secret. */
  private note(request: UpgradeRequest, error: AppError): void {
    const path = this.endpoints.find(request.path)?.path ?? 'none';
    this.metrics.refused(error);
    this.log.debug({ request_id: request.id, path, code: error.code }, 'upgrade refused');
  }
}

/** Takes the upgrades of the HTTP server: all checks first, a socket afterwards (docs/adr/0020-comeback.md). */
@Injectable()
export class Upgrades {
  constructor(
    private readonly endpoints: SocketEndpoints,
    private readonly pace: UpgradePace,
    private readonly checks: UpgradeChecks,
    private readonly acceptor: Acceptor,
    private readonly refusals: Refusals,
    private readonly lifecycle: Lifecycle,
  ) {}

  /** The paths that take sockets. */
  get paths(): readonly string[] {
    return this.endpoints.paths;
  }

  /** The sockets of a path. Throws where no endpoint takes any. */
  serve(path: string): SocketServer {
    if (this.endpoints.find(path) === undefined) throw new Error(`no sockets are taken at ${path}`);
    return this.acceptor.serve(path);
  }

  close(server: SocketServer): void {
    this.acceptor.close(server);
  }

  /** Call once per HTTP server, before it listens. */
  install(server: Server, trustProxy: boolean): void {
    server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      const upgrade = { request, socket, head };
      if (request.headers.upgrade?.toLowerCase() !== 'websocket') {
        serveAsRequest(server, upgrade);
        return;
      }
      // Node has stopped listening, ws has not begun: a peer that resets now must not end the process.
      socket.on('error', destroyIt);
      void this.handle(upgrade, readUpgrade(request, flat(requestIdOf(request)), trustProxy));
    });
  }

  private async handle(upgrade: RawUpgrade, request: UpgradeRequest): Promise<void> {
    const fault = handshakeFault(upgrade.request);
    if (fault !== undefined) {
      this.refusals.malformed(upgrade, request, fault);
      return;
    }
    try {
      this.refuseWhileStopping();
      const endpoint = this.endpoints.find(request.path);
      if (endpoint === undefined) throw notFound('Route');
      // A request that is surely refused takes no place in the queue of other upgrades.
      await this.checks.vet(request, endpoint);
      const isWanted = (): boolean => !upgrade.socket.destroyed;
      await this.pace.run(isWanted, () => this.open(upgrade, request, endpoint));
    } catch (thrown) {
      await this.refusals.refuse(upgrade, request, thrown);
    }
  }

  /** Resolves when the connection is in its rooms, or is over. */
  private async open(upgrade: RawUpgrade, request: UpgradeRequest, endpoint: SocketEndpoint): Promise<void> {
    this.refuseWhileStopping();
    const admission = await this.checks.check(request, endpoint);
    try {
      this.refuseWhileStopping();
      if (!upgrade.socket.destroyed) await this.acceptor.accept(upgrade, endpoint, admission);
    } finally {
      // Unless a connection has it.
      admission.place.release();
    }
  }

  private refuseWhileStopping(): void {
    if (this.lifecycle.refusing) throw unavailable('The server is stopping');
  }
}
