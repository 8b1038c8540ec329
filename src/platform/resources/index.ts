/** What is made before Nest is: configuration, log, lifecycle, secrets. Handed to the providers that inject it. */
import { type DynamicModule, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import {
  type AppConfig,
  ClusterConfig,
  DatabaseConfig,
  ExportsConfig,
  HttpConfig,
  ModelsConfig,
  RuntimeConfig,
  SecurityConfig,
  SocketConfig,
  TransferConfig,
  WebhookConfig,
} from '../../config';
import { Explorer } from '../discovery';
import { Lifecycle } from '../lifecycle';
import { Log } from '../logging';
import { Secrets } from '../secrets';
import { Validator } from '../validation';

export interface Resources {
  readonly config: AppConfig;
  readonly log: Log;
  readonly lifecycle: Lifecycle;
  readonly secrets: Secrets;
}

@Module({})
export class ResourcesModule {
  static register({ config, log, lifecycle, secrets }: Resources): DynamicModule {
    const providers = [
      { provide: HttpConfig, useValue: config.http },
      { provide: SocketConfig, useValue: config.socket },
      { provide: DatabaseConfig, useValue: config.database },
      { provide: SecurityConfig, useValue: config.security },
      { provide: RuntimeConfig, useValue: config.runtime },
      { provide: ModelsConfig, useValue: config.models },
      { provide: WebhookConfig, useValue: config.webhook },
      { provide: ExportsConfig, useValue: config.exports },
      { provide: TransferConfig, useValue: config.transfer },
      { provide: ClusterConfig, useValue: config.cluster },
      { provide: Log, useValue: log },
      { provide: Lifecycle, useValue: lifecycle },
      { provide: Secrets, useValue: secrets },
      Validator,
      Explorer,
    ];
    return {
      module: ResourcesModule,
      imports: [DiscoveryModule],
      providers,
      exports: [
        HttpConfig,
        SocketConfig,
        DatabaseConfig,
        SecurityConfig,
        RuntimeConfig,
        WebhookConfig,
        ModelsConfig,
        ExportsConfig,
        TransferConfig,
        ClusterConfig,
        Log,
        Lifecycle,
        Secrets,
        Validator,
        Explorer,
        DiscoveryModule,
      ],
    };
  }
}
