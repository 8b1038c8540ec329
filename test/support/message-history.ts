/** A message that a writer meant to send, however often it tried. */
export interface Intent {
  readonly roomId: string;
  readonly senderId: string;
  readonly clientMessageId: string;
  readonly content: string;
  /** The highest seq of the room that any writer had been told when this one was first sent. */
  readonly afterSeq: number;
}

/** A 201 that a writer got. */
export interface Ack {
  readonly clientMessageId: string;
  readonly roomId: string;
  readonly seq: number;
  readonly messageId: string;
  readonly createdAt: string;
}

/** A message as a room lists it. */
export interface LogEntry {
  readonly seq: number;
  readonly message_id: string;
  readonly sender_id: string;
  readonly content: string;
  readonly client_message_id: string | null;
  readonly created_at: string;
}

export interface History {
  readonly intents: readonly Intent[];
  readonly acks: readonly Ack[];
  /** client_message_ids whose every try was refused with the words that nothing was stored. */
  readonly withdrawn: ReadonlySet<string>;
  /** Whole logs by room id, in the order in which they are listed. */
  readonly logs: ReadonlyMap<string, readonly LogEntry[]>;
  /** What a reader was shown of the rooms while they were written. */
  readonly shown: ReadonlyMap<string, readonly LogEntry[]>;
}

/**
 * What is wrong with a history, as sentences; empty when it keeps the product's promises: every acknowledged message
 * is in the log once, with the acknowledged seq, id and time, behind whatever was acknowledged before it was sent; no
 * message is there twice; nothing is there that nobody sent, or of which its sender was told that it is not; seq is 1…N;
 * created_at never falls; what a reader was shown is what the log says at last.
 */
export function historyFaults(history: History): string[] {
  const faults = [...history.logs].flatMap(([roomId, log]) => [
    ...sequenceFaults(roomId, log),
    ...doubles(roomId, log),
  ]);
  return [...faults, ...foreignEntries(history), ...brokenPromises(history), ...falseSights(history)];
}

function sequenceFaults(roomId: string, log: readonly LogEntry[]): string[] {
  return log.flatMap((entry, i) => {
    const faults = entry.seq === i + 1 ? [] : [`${roomId}: seq ${entry.seq} stands at position ${i + 1}`];
    const previous = log[i - 1];
    if (previous && entry.created_at < previous.created_at)
      faults.push(`${roomId}: seq ${entry.seq} is older than the one before`);
    return faults;
  });
}

function doubles(roomId: string, log: readonly LogEntry[]): string[] {
  const seen = new Set<string>();
  return log.flatMap((entry) =>
    [`message ${entry.message_id}`, `client message ${entry.sender_id}/${entry.client_message_id ?? entry.message_id}`]
      .filter((key) => seen.has(key) || !seen.add(key))
      .map((key) => `${roomId}: ${key} is there twice (again at seq ${entry.seq})`),
  );
}

function foreignEntries({ intents, withdrawn, logs }: History): string[] {
  const meant = new Map(intents.map((intent) => [intent.clientMessageId, intent]));
  return [...logs].flatMap(([roomId, log]) =>
    log.flatMap((entry) => {
      const intent = meant.get(entry.client_message_id ?? '');
      if (!intent || intent.roomId !== roomId) return [`${roomId}: nobody sent seq ${entry.seq}`];
      const faults: string[] = [];
      if (intent.content !== entry.content || intent.senderId !== entry.sender_id)
        faults.push(`${roomId}: seq ${entry.seq} is not what was sent`);
      if (entry.seq <= intent.afterSeq)
        faults.push(`${roomId}: seq ${entry.seq} was sent when seq ${intent.afterSeq} was acknowledged already`);
      if (withdrawn.has(intent.clientMessageId))
        faults.push(`${roomId}: seq ${entry.seq} is stored, and its sender was told that it is not`);
      return faults;
    }),
  );
}

function brokenPromises({ acks, logs }: History): string[] {
  const stored = new Map(
    [...logs].map(([roomId, log]) => [roomId, new Map(log.map((entry) => [entry.client_message_id, entry]))]),
  );
  return acks.flatMap((ack) => {
    const entry = stored.get(ack.roomId)?.get(ack.clientMessageId);
    if (!entry) return [`${ack.roomId}: acknowledged message ${ack.clientMessageId} (seq ${ack.seq}) is lost`];
    const isKept = entry.seq === ack.seq && entry.message_id === ack.messageId && entry.created_at === ack.createdAt;
    return isKept ? [] : [`${ack.roomId}: ${ack.clientMessageId} was acknowledged as seq ${ack.seq}, is ${entry.seq}`];
  });
}

function falseSights({ logs, shown }: History): string[] {
  return [...shown].flatMap(([roomId, entries]) =>
    entries.flatMap((entry, i) => {
      const stored = logs.get(roomId)?.[i];
      const isTrue = stored?.message_id === entry.message_id && stored.seq === entry.seq;
      return isTrue ? [] : [`${roomId}: a reader was shown ${entry.message_id} as number ${i + 1} (seq ${entry.seq})`];
    }),
  );
}
