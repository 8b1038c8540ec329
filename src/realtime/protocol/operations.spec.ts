import { Injectable } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import { IsEmail } from 'class-validator';
import { startProtocol } from '../../../test/support/realtime/protocol-fixture';
import { NothingFrame, TestGateway } from '../../../test/support/realtime/test-gateway';
import { SocketOperation } from './operations';

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
  @SocketOperation({
    name: 'notification.ack',
    dto: UnknownRule,
    summary: 'Has a rule that the compiler does not know.',
  })
  acknowledge(): void {
    return;
  }
}

@Injectable()
class NoGateway {
  @SocketOperation({ name: 'notification.ack', dto: NothingFrame, summary: 'Stands outside of a gateway.' })
  acknowledge(): void {
    return;
  }
}

@WebSocketGateway({ path: '/ws/chat' })
class OtherGateway {
  @SocketOperation({ name: 'notification.ack', dto: NothingFrame, summary: 'Stands on another path.' })
  acknowledge(): void {
    return;
  }
}

@WebSocketGateway({ path: '/ws' })
class UnknownFrame {
  @SocketOperation({ name: 'shout', dto: NothingFrame, summary: 'Handles what no document has.' })
  shout(): void {
    return;
  }
}

describe('the boot', () => {
  it('takes a gateway with all frames', async () => {
    await expect(startProtocol(TestGateway)).resolves.toBeDefined();
  });

  it.each([
    ['two operations of one name', [TestGateway, SecondPing], 'Two socket operations handle the frame ping'],
    ['a DTO that cannot be compiled', [TestGateway, Uncompilable], /notification.ack cannot be validated: .*isEmail/],
    ['an operation outside of a gateway', [TestGateway, NoGateway], 'NoGateway handles notification.ack, but is no'],
    ['an operation on another path', [TestGateway, OtherGateway], 'OtherGateway handles notification.ack, but is no'],
    [
      'an operation for a frame that the endpoint does not list',
      [TestGateway, UnknownFrame],
      '/ws takes no frame called shout',
    ],
    [
      'documented frames without operation',
      [SecondPing],
      'No socket operation handles, at /ws: send_message, react, ack, read',
    ],
  ])('fails on %s', async (_, gateways, message) => {
    await expect(startProtocol(...gateways)).rejects.toThrow(message);
  });
});
