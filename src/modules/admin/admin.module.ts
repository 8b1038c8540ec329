import { Module } from '@nestjs/common';
import { ModelsModule } from '../models';
import { KeyCheck } from './key-check';

@Module({
  imports: [ModelsModule],
  providers: [KeyCheck],
  exports: [KeyCheck],
})
export class AdminModule {}
