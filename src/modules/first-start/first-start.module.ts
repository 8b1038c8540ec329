import { Module } from '@nestjs/common';
import { ChatsModule } from '../chats';
import { NotificationsModule } from '../notifications';
import { RoomsModule } from '../rooms';
import { DemoChat } from './demo-chat';
import { DemoNotification } from './demo-notification';
import { FirstStartService } from './first-start.service';

@Module({
  imports: [RoomsModule, NotificationsModule, ChatsModule],
  providers: [FirstStartService, DemoChat, DemoNotification],
  exports: [FirstStartService],
})
export class FirstStartModule {}
