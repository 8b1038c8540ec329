import { DiscoveryModule } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import type { Type } from '@nestjs/common';
import { Clock, ManualClock } from '../../../src/common/time';
import { Explorer } from '../../../src/platform/discovery';
import { Log } from '../../../src/platform/logging';
import { Metrics } from '../../../src/platform/metrics';
import type { SocketEndpoint } from '../../../src/realtime';
import { Dispatcher, SocketOperations } from '../../../src/realtime/protocol';
import { SocketEndpoints } from '../../../src/realtime/transport';
import { Validator } from '../../../src/platform/validation';
import { RecordingLog } from '../recording-log';
import { type RecordingConnection } from './recording-connection';

/** A dispatcher over gateways of a test, with a clock that stands still. */
export interface ProtocolFixture {
  readonly dispatcher: Dispatcher;
  /** The first endpoint, of which the gateways are. */
  readonly endpoint: SocketEndpoint;
  readonly clock: ManualClock;
  readonly log: RecordingLog;
  /** The gateway's instance. */
  gateway<T>(type: Type<T>): T;
  /** Hands in one message at the first endpoint: text, an object that is serialised first, or bytes for a binary one. */
  send(connection: RecordingConnection, message: unknown): void;
}

/** Boots the protocol over the gateways; rejects where the server would not start. */
export async function startProtocol(...gateways: Type[]): Promise<ProtocolFixture> {
  const log = new RecordingLog();
  const clock = new ManualClock();
  const module = await Test.createTestingModule({
    imports: [DiscoveryModule],
    providers: [
      ...gateways,
      Explorer,
      Validator,
      SocketOperations,
      Dispatcher,
      SocketEndpoints,
      { provide: Clock, useValue: clock },
      { provide: Log, useValue: log },
      { provide: Metrics, useValue: new Metrics(log) },
    ],
  }).compile();
  await module.init();
  const dispatcher = module.get(Dispatcher);
  const endpoint: SocketEndpoint = module.get(SocketEndpoints).standard;
  return {
    dispatcher,
    endpoint: endpoint,
    clock,
    log,
    gateway: (type) => module.get(type),
    send: (connection, message) =>
      Buffer.isBuffer(message)
        ? dispatcher.message(endpoint, connection, message, true)
        : dispatcher.message(
            endpoint,
            connection,
            Buffer.from(typeof message === 'string' ? message : JSON.stringify(message)),
            false,
          ),
  };
}

/** Lets everything run that waits for nothing but a resolved promise. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
