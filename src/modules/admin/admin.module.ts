import { Module } from '@nestjs/common';
import { NotificationsModule } from '../notifications';
import { RoomsModule } from '../rooms';
import { FirstStartService } from './first-start.service';

@Module({ imports: [RoomsModule, NotificationsModule], providers: [FirstStartService], exports: [FirstStartService] })
export class AdminModule {}
