import { Injectable } from '@nestjs/common';
import { AppError } from '../../../common/errors';
import { ModelsService } from '../../models';
import { AgentPresence } from '../../rooms';

/** An agent is online while a channel can answer. */
@Injectable()
export class AgentsOnline extends AgentPresence {
  constructor(private readonly models: ModelsService) {
    super();
  }

  async canAnswer(tenantId: string): Promise<boolean> {
    try {
      await this.models.available(tenantId);
      return true;
    } catch (error) {
      if (error instanceof AppError && error.code === 'CHANNEL_UNAVAILABLE') return false;
      throw error;
    }
  }
}
