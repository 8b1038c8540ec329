import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ChannelConnections, ChannelDirectory, ChannelKeys, SharedChannels } from './channels/channel-directory';
import { ChannelTests } from './channels/channel-tests';
import { ChannelsController } from './channels/channels.controller';
import { ChannelsRepository } from './channels/channels.repository';
import { ChannelsService } from './channels/channels.service';
import { ChannelViews } from './channels/channels.views';
import { ModelChannelEntity } from './entities/model-channel.entity';
import { PresetEntity } from './entities/preset.entity';
import { PresetsController } from './presets/presets.controller';
import { PresetsRepository } from './presets/presets.repository';
import { PresetsService } from './presets/presets.service';
import { ModelsExportRepository } from './models-export.repository';
import { ChannelChoice } from './routing/channel-choice';
import { FaultBook } from './routing/fault-book';
import { Breakers, Gates } from './routing/gates';
import { ModelsService } from './routing/models.service';

@Module({
  imports: [TypeOrmModule.forFeature([ModelChannelEntity, PresetEntity])],
  controllers: [ChannelsController, PresetsController],
  providers: [
    ChannelsRepository,
    ChannelKeys,
    ChannelConnections,
    ChannelDirectory,
    ChannelViews,
    ChannelsService,
    PresetsRepository,
    PresetsService,
    ModelsExportRepository,
    FaultBook,
    Breakers,
    Gates,
    SharedChannels,
    ChannelChoice,
    ModelsService,
    ChannelTests,
  ],
  exports: [ModelsService, PresetsService, ChannelKeys],
})
export class ModelsModule {}
