import { Injectable } from '@nestjs/common';
import { AppError } from '../../common/errors';
import type { Caller } from '../../platform/auth';
import { ChatsService } from '../chats';
import { DEMO } from './demo';

/** An empty chat with the assistant: nothing is said in it, so no model is asked by a mere start. */
@Injectable()
export class DemoChat {
  constructor(private readonly chats: ChatsService) {}

  /** May be repeated. */
  async seed(alice: Caller): Promise<void> {
    try {
      await this.chats.get(alice, DEMO.chatId);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'NOT_FOUND') throw error;
      await this.chats.create(alice, { userId: DEMO.userId, title: DEMO.chatTitle }, DEMO.chatId);
    }
  }
}
