import { Module } from '@nestjs/common';
import { ChatsModule } from '../chats';
import { MessagesModule } from '../messages';
import { NotificationsModule } from '../notifications';
import { RoomsModule } from '../rooms';
import { TenantsModule } from '../tenants';
import { DemoChat } from './demo-chat';
import { DemoNotification } from './demo-notification';
import { FirstStartService } from './first-start.service';

@Module({
  imports: [TenantsModule, RoomsModule, MessagesModule, NotificationsModule, ChatsModule],
  providers: [FirstStartService, DemoChat, DemoNotification],
  exports: [FirstStartService],
})
export class FirstStartModule {}
