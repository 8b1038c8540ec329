import { Injectable } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import { IsEmail } from 'class-validator';
import { startProtocol } from '../../../../test/support/realtime/socket-harness';
import { NothingFrame, TestGateway } from '../../../../test/support/realtime/test-gateway';
import { SocketOperation } from './socket-operation';

@WebSocketGateway({ path: '/ws' })
class SecondPing {
  @SocketOperation({ name: 'ping', dto: NothingFrame, summary: 'Pings too.' })
  ping(): void {
    return;
  }
}

class UnknownRule {
  @IsEmail()
  mail!: string;
}

@WebSocketGateway({ path: '/ws' })
class Uncompilable {
  @SocketOperation({ name: 'sync', dto: UnknownRule, summary: 'Has a rule that the compiler does not know.' })
  sync(): void {
    return;
  }
}

@Injectable()
class NoGateway {
  @SocketOperation({ name: 'sync', dto: NothingFrame, summary: 'Stands outside of a gateway.' })
  sync(): void {
    return;
  }
}

@WebSocketGateway({ path: '/ws/chat' })
class OtherGateway {
  @SocketOperation({ name: 'sync', dto: NothingFrame, summary: 'Stands on another path.' })
  sync(): void {
    return;
  }
}

describe('the boot', () => {
  it('takes a gateway with all frames', async () => {
    await expect(startProtocol(TestGateway)).resolves.toBeDefined();
  });

  it.each([
    ['two operations of one name', [TestGateway, SecondPing], 'Two socket operations handle the frame ping'],
    ['a DTO that cannot be compiled', [TestGateway, Uncompilable], /sync cannot be validated: .*isEmail/],
    ['an operation outside of a gateway', [TestGateway, NoGateway], 'NoGateway handles sync, but is no'],
    ['an operation on another path', [TestGateway, OtherGateway], 'OtherGateway handles sync, but is no'],
    ['documented frames without operation', [SecondPing], 'No socket operation handles: send_message, ack, read'],
  ])('fails on %s', async (_, gateways, message) => {
    await expect(startProtocol(...gateways)).rejects.toThrow(message);
  });
});
