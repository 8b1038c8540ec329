import type { Provider } from '@nestjs/common';
import { Dispatcher } from './dispatcher';
import { SocketOperations } from './operations';
import { PingGateway } from './ping.gateway';

/** For the realtime module. */
export const PROTOCOL_PROVIDERS: Provider[] = [SocketOperations, Dispatcher, PingGateway];
