import { Module } from '@nestjs/common';
import { ChatsModule } from '../chats';
import { ModelsModule } from '../models';
import { NotificationsModule } from '../notifications';
import { RoomsModule } from '../rooms';
import { DemoChat } from './demo-chat';
import { DemoNotification } from './demo-notification';
import { FirstStartService } from './first-start.service';
import { KeyCheck } from './key-check';

@Module({
  imports: [ModelsModule, RoomsModule, NotificationsModule, ChatsModule],
  providers: [FirstStartService, KeyCheck, DemoChat, DemoNotification],
  exports: [FirstStartService, KeyCheck],
})
export class AdminModule {}
