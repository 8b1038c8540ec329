import { Injectable } from '@nestjs/common';
import { ModelsConfig } from '../../../config';
import { outboundPost, type OutboundPost } from '../../../platform/outbound';
import { CONNECT_MS } from '../answer/timed';

/** A long answer has some 100 KB of text, each token in an event of a few hundred bytes. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const MAX_ERROR_BYTES = 64 * 1024;

/** How channels connect: a tenant's obey the address rules, the environment's lead wherever the operator says. */
@Injectable()
export class ChannelConnections {
  readonly ofTenants: OutboundPost;
  readonly ofEnvironment: OutboundPost;

  constructor({ allowPrivate }: ModelsConfig) {
    const bounds = { connectMs: CONNECT_MS, maxBytes: MAX_ANSWER_BYTES, maxErrorBytes: MAX_ERROR_BYTES };
    this.ofTenants = outboundPost({ ...bounds, allowPrivate });
    this.ofEnvironment = outboundPost({ ...bounds, allowPrivate: true });
  }
}
