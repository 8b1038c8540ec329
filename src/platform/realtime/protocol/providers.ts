import type { Provider } from '@nestjs/common';
import { FrameReceiver } from '../contract';
import { Dispatcher } from './dispatcher';
import { SocketOperations } from './operations';
import { PingGateway } from './ping.gateway';

/** For the realtime module. */
export const PROTOCOL_PROVIDERS: Provider[] = [
  SocketOperations,
  Dispatcher,
  { provide: FrameReceiver, useExisting: Dispatcher },
  PingGateway,
];
