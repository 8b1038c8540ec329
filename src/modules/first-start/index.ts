/**
 * The very first start of an installation: the demo tenant and its data, and the key that is shown once. Every step may be
 * repeated, so a start that was cut short is finished by the next one. Of several servers that start together one makes it.
 */
import { Module } from '@nestjs/common';
import { ChatsModule } from '../chats';
import { MessagesModule } from '../messages';
import { NotificationsModule } from '../notifications';
import { RoomsModule } from '../rooms';
import { TenantsModule } from '../tenants';
import { DemoChat, DemoNotification, DemoRoom, FirstStartService } from './first-start.service';

export { DEMO, type FirstStart, FirstStartService } from './first-start.service';

@Module({
  imports: [TenantsModule, RoomsModule, MessagesModule, NotificationsModule, ChatsModule],
  providers: [FirstStartService, DemoChat, DemoNotification, DemoRoom],
  exports: [FirstStartService],
})
export class FirstStartModule {}
