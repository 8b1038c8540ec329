import { Module } from '@nestjs/common';
import { RoomsModule } from '../rooms';
import { FirstStartService } from './first-start.service';

@Module({ imports: [RoomsModule], providers: [FirstStartService], exports: [FirstStartService] })
export class AdminModule {}
