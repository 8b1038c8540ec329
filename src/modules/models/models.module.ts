import { Module, type OnModuleInit } from '@nestjs/common';
import { Clock } from '../../common/clock';
import { ModelsConfig } from '../../config';
import { Log } from '../../platform/logging';
import { Metrics } from '../../platform/metrics';
import { PATIENCE } from './answer/timed';
import { ChannelDirectory } from './channels/channel-directory';
import { ChannelKeys } from './channels/channel-keys';
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
import { RoutedModels } from './routing/routed-models';

@Module({
  controllers: [ChannelsController, PresetsController],
  providers: [
    ChannelsRepository,
    ChannelKeys,
    ChannelConnections,
    ChannelDirectory,
    ChannelsService,
    PresetsRepository,
    PresetsService,
    { provide: Presets, useExisting: PresetsService },
    { provide: Breakers, useFactory: (clock: Clock) => new Breakers(clock), inject: [Clock] },
    {
      provide: ChannelChoice,
      useFactory: (directory: ChannelDirectory, config: ModelsConfig, { ofEnvironment }: ChannelConnections) =>
        new ChannelChoice(directory, {
          environment: environmentChannel(config, ofEnvironment),
          echo: echoChannel(ofEnvironment),
        }),
      inject: [ChannelDirectory, ModelsConfig, ChannelConnections],
    },
    {
      provide: Models,
      useFactory: (choice: ChannelChoice, breakers: Breakers, metrics: Metrics, log: Log, clock: Clock) =>
        new RoutedModels(choice, breakers, metrics, log, clock, PATIENCE),
      inject: [ChannelChoice, Breakers, Metrics, Log, Clock],
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
