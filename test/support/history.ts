/** A message that a writer meant to send, however often it tried. */
export interface Intent {
  readonly roomId: string;
  readonly senderId: string;
  readonly clientMessageId: string;
  readonly content: string;
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
  /** Whole logs by room id, in the order in which they are listed. */
  readonly logs: ReadonlyMap<string, readonly LogEntry[]>;
}

/**
 * What is wrong with a history, as sentences; empty when it keeps the product's promises: every acknowledged message
 * is in the log once, with the acknowledged seq, id and time; no message is there twice; nothing is there that nobody
 * sent; seq is 1…N; created_at never falls.
 */
export function faultsOf(history: History): string[] {
  const faults = [...history.logs].flatMap(([roomId, log]) => [
    ...sequenceFaults(roomId, log),
    ...doubles(roomId, log),
  ]);
  return [...faults, ...foreignEntries(history), ...brokenPromises(history)];
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

function foreignEntries({ intents, logs }: History): string[] {
  const meant = new Map(intents.map((intent) => [intent.clientMessageId, intent]));
  return [...logs].flatMap(([roomId, log]) =>
    log.flatMap((entry) => {
      const intent = meant.get(entry.client_message_id ?? '');
      if (!intent || intent.roomId !== roomId) return [`${roomId}: nobody sent seq ${entry.seq}`];
      const isSame = intent.content === entry.content && intent.senderId === entry.sender_id;
      return isSame ? [] : [`${roomId}: seq ${entry.seq} is not what was sent`];
    }),
  );
}

function brokenPromises({ acks, logs }: History): string[] {
  return acks.flatMap((ack) => {
    const entry = logs.get(ack.roomId)?.find((candidate) => candidate.client_message_id === ack.clientMessageId);
    if (!entry) return [`${ack.roomId}: acknowledged message ${ack.clientMessageId} (seq ${ack.seq}) is lost`];
    const isKept = entry.seq === ack.seq && entry.message_id === ack.messageId && entry.created_at === ack.createdAt;
    return isKept ? [] : [`${ack.roomId}: ${ack.clientMessageId} was acknowledged as seq ${ack.seq}, is ${entry.seq}`];
  });
}
