import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ChannelDirectory } from './channels/channel-directory';
import { ChannelKeys } from './channels/channel-keys';
import { ChannelViews } from './channels/channels.views';
import { ChannelsController } from './channels/channels.controller';
import { ChannelsRepository } from './channels/channels.repository';
import { ChannelsService } from './channels/channels.service';
import { ChannelConnections } from './channels/connections';
import { SharedChannels } from './channels/environment';
import { Models, Presets } from './contract';
import { PresetsController } from './presets/presets.controller';
import { PresetsRepository } from './presets/presets.repository';
import { PresetsService } from './presets/presets.service';
import { Breakers } from './routing/breakers';
import { ChannelChoice } from './routing/channel-choice';
import { FaultBook } from './routing/fault-book';
import { Gates } from './routing/gates';
import { RoutedModels } from './routing/routed-models';
import { ModelChannelEntity } from './entities/model-channel.entity';
import { PresetEntity } from './entities/preset.entity';

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
    { provide: Presets, useExisting: PresetsService },
    FaultBook,
    Breakers,
    Gates,
    SharedChannels,
    ChannelChoice,
    { provide: Models, useClass: RoutedModels },
  ],
  exports: [Models, Presets, ChannelKeys],
})
export class ModelsModule {}
