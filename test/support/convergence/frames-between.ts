import type { Api } from '../http/api';
import { allChanges, type MessageBody } from '../messages';
import { bodyOf } from '../rooms';
import type { ServerFrame } from '../ws/client';

/** What lies between two positions of a room, as frames: messages by seq, and other changes by rev if they are given. */
export async function framesBetween(
  by: Api,
  roomId: string,
  afterSeq: number,
  beforeSeq: number,
  afterRev: unknown,
  beforeRev: unknown,
): Promise<ServerFrame[]> {
  const frames: ServerFrame[] = [];
  for (let after = afterSeq; after < beforeSeq - 1;) {
    const query = `after_seq=${after}&before_seq=${beforeSeq}&limit=100`;
    const page = bodyOf(await by.get<MessageBody[]>(`/rooms/${roomId}/messages?${query}`));
    frames.push(...page.map((message) => ({ ...message, type: 'message' })));
    after = page.at(-1)?.seq ?? beforeSeq;
  }
  if (afterRev === undefined) return frames;
  const changes = await allChanges(by, roomId, Number(afterRev));
  return [...frames, ...changes.filter(({ rev }) => rev < Number(beforeRev)).map((change) => ({ ...change }))];
}
