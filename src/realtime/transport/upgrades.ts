import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { Injectable } from '@nestjs/common';
import { notFound, unavailable } from '../../common/errors';
import { flat } from '../../common/text';
import { requestIdOf } from '../../platform/http';
import { Lifecycle } from '../../platform/lifecycle';
import type { SocketDoor } from '../feed/ports';
import { Acceptor, destroyIt, type RawUpgrade, type SocketServer } from './acceptor';
import { SocketDoors } from './doors';
import { handshakeFault } from './handshake';
import { serveAsRequest } from './plain-request';
import { Refusals } from './refusals';
import { UpgradeChecks } from './upgrade-checks';
import { UpgradePace } from './upgrade-pace';
import { readUpgrade, type UpgradeRequest } from './upgrade-request';

/** Takes the upgrades of the HTTP server: all checks first, a socket afterwards (docs/adr/0020-comeback.md). */
@Injectable()
export class Upgrades {
  constructor(
    private readonly doors: SocketDoors,
    private readonly pace: UpgradePace,
    private readonly checks: UpgradeChecks,
    private readonly acceptor: Acceptor,
    private readonly refusals: Refusals,
    private readonly lifecycle: Lifecycle,
  ) {}

  /** The paths that take sockets. */
  get paths(): readonly string[] {
    return this.doors.paths;
  }

  /** The sockets of a path. Throws where no door takes any. */
  serve(path: string): SocketServer {
    if (this.doors.find(path) === undefined) throw new Error(`no sockets are taken at ${path}`);
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
      const door = this.doors.find(request.path);
      if (door === undefined) throw notFound('Route');
      // Whoever is surely refused takes no place in the queue of those who are not.
      await this.checks.vet(request, door);
      const isWanted = (): boolean => !upgrade.socket.destroyed;
      await this.pace.run(isWanted, () => this.open(upgrade, request, door));
    } catch (thrown) {
      await this.refusals.refuse(upgrade, request, thrown);
    }
  }

  /** Resolves when the connection sits in its rooms, or is over. */
  private async open(upgrade: RawUpgrade, request: UpgradeRequest, door: SocketDoor): Promise<void> {
    this.refuseWhileStopping();
    const admission = await this.checks.check(request, door);
    this.refuseWhileStopping();
    if (!upgrade.socket.destroyed) await this.acceptor.accept(upgrade, door, admission);
  }

  private refuseWhileStopping(): void {
    if (this.lifecycle.stopping) throw unavailable('The server is stopping');
  }
}
