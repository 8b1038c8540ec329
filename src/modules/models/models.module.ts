import { Module, type OnModuleInit } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Clock } from '../../common/clock';
import { ModelsConfig } from '../../config';
import { Log } from '../../platform/logging';
import { Metrics } from '../../platform/metrics';
import { ChannelDirectory } from './channels/channel-directory';
import { ChannelKeys } from './channels/channel-keys';
import { ChannelViews } from './channels/channel-views';
import { ChannelsController } from './channels/channels.controller';
import { ChannelsRepository } from './channels/channels.repository';
import { ChannelsService } from './channels/channels.service';
import { ChannelConnections } from './channels/connections';
import { echoChannel, environmentChannel } from './channels/environment';
import { Models, Presets } from './contract';
import { PresetsController } from './presets/presets.controller';
import { PresetsRepository } from './presets/presets.repository';
import { PresetsService } from './presets/presets.service';
import { Breakers } from './routing/breakers';
import { ChannelChoice } from './routing/channel-choice';
import { FaultBook } from './routing/fault-book';
import { Gates } from './routing/gates';
import { LearnedParams } from './routing/learned-params';
import { RoutedModels } from './routing/routed-models';
import { ModelChannelEntity } from './entities/model-channel.entity';
import { PresetEntity } from './entities/preset.entity';

function modelsOf(
  choice: ChannelChoice,
  breakers: Breakers,
  faults: FaultBook,
  ...[metrics, log, clock, { maxAnswerBytes }]: [Metrics, Log, Clock, ModelsConfig]
): Models {
  const gates = new Gates(breakers, clock);
  const learned = new LearnedParams();
  return new RoutedModels({ choice, gates, learned, faults, metrics, log, clock, maxAnswerBytes });
}

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
    { provide: Breakers, useFactory: (clock: Clock) => new Breakers(clock), inject: [Clock] },
    {
      provide: ChannelChoice,
      useFactory: (directory: ChannelDirectory, config: ModelsConfig, { ofEnvironment }: ChannelConnections) =>
        new ChannelChoice(directory, {
          environment: environmentChannel(config, ofEnvironment),
          echo: echoChannel(config, ofEnvironment),
        }),
      inject: [ChannelDirectory, ModelsConfig, ChannelConnections],
    },
    {
      provide: Models,
      useFactory: modelsOf,
      inject: [ChannelChoice, Breakers, FaultBook, Metrics, Log, Clock, ModelsConfig],
    },
  ],
  exports: [Models, Presets, ChannelKeys],
})
export class ModelsModule implements OnModuleInit {
  constructor(
    private readonly metrics: Metrics,
    private readonly breakers: Breakers,
  ) {}

  onModuleInit(): void {
    this.metrics.collect('chatapi_model_breakers_open', () => [{ labels: {}, value: this.breakers.open }]);
  }
}
