import { Module } from '@nestjs/common';
import { ChatsModule } from '../chats';
import { MessagesModule } from '../messages';
import { ModelsModule } from '../models';
import { NotificationsModule } from '../notifications';
import { RoomsModule } from '../rooms';
import { TenantsModule } from '../tenants';
import { DemoChat } from './demo-chat';
import { DemoNotification } from './demo-notification';
import { FirstStartService } from './first-start.service';
import { KeyCheck } from './key-check';

@Module({
  imports: [TenantsModule, RoomsModule, MessagesModule, ModelsModule, NotificationsModule, ChatsModule],
  providers: [FirstStartService, KeyCheck, DemoChat, DemoNotification],
  exports: [FirstStartService, KeyCheck],
})
export class AdminModule {}
