interface Described {
  readonly help: string;
  /** Label names; what they hold is bounded by the code, never chosen by a client. */
  readonly labels: readonly string[];
}

interface Valued extends Described {
  readonly type: 'counter' | 'gauge';
}

interface Bucketed extends Described {
  readonly type: 'histogram';
  /** Upper bounds, rising. */
  readonly buckets: readonly number[];
}

/** What the reference page says about one metric, and how it is made. */
export type MetricDefinition = Valued | Bucketed;

/** Begins every metric's name, those of the process (prom-client's defaults) included. */
export const METRIC_PREFIX = 'chatapi_';

/** From a half millisecond, a commit on a good disk, to the ten seconds after which nobody waits any more. */
const LATENCY_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

/** All metrics of the server's own. */
export const METRIC_DEFINITIONS = {
  chatapi_http_requests_total: {
    type: 'counter',
    help: 'HTTP requests answered, by method, route pattern and status.',
    labels: ['method', 'route', 'status'],
  },
  chatapi_http_request_seconds: {
    type: 'histogram',
    help: 'Time from the arrival of an HTTP request to the end of its answer, by route pattern.',
    labels: ['route'],
    buckets: LATENCY_SECONDS,
  },
  chatapi_errors_total: {
    type: 'counter',
    help: 'Errors that clients were answered with, on every door, by code of the error catalogue.',
    labels: ['code'],
  },
  chatapi_sse_streams: {
    type: 'gauge',
    help: 'Answers of server-sent events that are open now.',
    labels: [],
  },
  chatapi_sse_closes_total: {
    type: 'counter',
    help: 'Answers of server-sent events that are over, by why: done, client (left), slow, stopping, expired.',
    labels: ['reason'],
  },
  chatapi_audit_missing_total: {
    type: 'counter',
    help: 'Calls of audited routes that succeeded and left no row in the audit log: must be 0.',
    labels: [],
  },
  chatapi_audit_rows_total: {
    type: 'counter',
    help: 'Rows that calls have left in the audit log.',
    labels: [],
  },
  chatapi_stats_streams: {
    type: 'gauge',
    help: 'Streams of the admin API’s live numbers that are open now.',
    labels: [],
  },
  chatapi_usage_lag_seconds: {
    type: 'gauge',
    help: 'For how long what somebody used has not been in the figures of usage; 0 where all is.',
    labels: [],
  },
  chatapi_append_batch_size: {
    type: 'histogram',
    help: 'Messages per group commit.',
    labels: [],
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512],
  },
  chatapi_append_wait_seconds: {
    type: 'histogram',
    help: 'Time that the oldest message of a batch has waited when its group commit starts.',
    labels: [],
    buckets: LATENCY_SECONDS,
  },
  chatapi_append_seconds: {
    type: 'histogram',
    help: 'Duration of a group commit.',
    labels: [],
    buckets: LATENCY_SECONDS,
  },
  chatapi_append_queue_items: {
    type: 'gauge',
    help: 'Messages that wait for a group commit now.',
    labels: [],
  },
  chatapi_append_items_total: {
    type: 'counter',
    help: 'Messages that went through a group commit, by what became of them.',
    labels: ['status'],
  },
  chatapi_append_locked_total: {
    type: 'counter',
    help: 'Group commits that have waited for a room which another transaction went on holding.',
    labels: [],
  },
  chatapi_bus_up: {
    type: 'gauge',
    help: 'With REDIS_URL: 1 while the servers hear each other through Redis, else 0; then they find by polling what the others do.',
    labels: [],
  },
  chatapi_bus_published_total: {
    type: 'counter',
    help: 'With REDIS_URL: envelopes sent to the other servers. What one turn of the event loop publishes is one.',
    labels: [],
  },
  chatapi_bus_received_total: {
    type: 'counter',
    help: 'With REDIS_URL: envelopes that came from other servers.',
    labels: [],
  },
  chatapi_bus_bytes_total: {
    type: 'counter',
    help: 'With REDIS_URL: bytes of these envelopes, by direction: in, out.',
    labels: ['direction'],
  },
  chatapi_bus_skipped_total: {
    type: 'counter',
    help: 'With REDIS_URL: hints of other servers about rooms and users that nobody on this one has to do with, by topic.',
    labels: ['topic'],
  },
  chatapi_bus_dropped_total: {
    type: 'counter',
    help: 'With REDIS_URL: envelopes and hints that were lost, by reason: unsent (Redis was away or did not take them), unknown (a newer release’s), format (of another one, or not ours), malformed.',
    labels: ['reason'],
  },
  chatapi_bus_gaps_total: {
    type: 'counter',
    help: 'With REDIS_URL: times that hints of other servers may have been lost, so that this one looked into the database, by reason: subscribed (it connected to Redis anew), missing (a number of another server did not come).',
    labels: ['reason'],
  },
  chatapi_bus_lag_seconds: {
    type: 'histogram',
    help: 'With REDIS_URL: the way of this server’s own position through Redis and back, once a second.',
    labels: [],
    buckets: LATENCY_SECONDS,
  },
  chatapi_runs_live: {
    type: 'gauge',
    help: 'Answers of models that are being written now.',
    labels: [],
  },
  chatapi_runs_ended_total: {
    type: 'counter',
    help: 'Answers of models that ended, by how.',
    labels: ['status'],
  },
  chatapi_chat_hints_missed_total: {
    type: 'counter',
    help: 'What a look at the database found in chats that are followed here, because no hint of it had come, by what: run (its tokens or its end), message, deletion, stop. Rises with hints that are lost; now and then one was only late.',
    labels: ['what'],
  },
  chatapi_database_up: {
    type: 'gauge',
    help: '1 while the database answers and is no standby, else 0.',
    labels: [],
  },
  chatapi_database_writable: {
    type: 'gauge',
    help: '1 while the database answers and its disk takes writes, else 0.',
    labels: [],
  },
  chatapi_clock_offset_seconds: {
    type: 'gauge',
    help: "By how many seconds the database's clock is ahead of this server's, asked once a minute. Beyond 1 either way it is logged.",
    labels: [],
  },
  chatapi_database_failures_total: {
    type: 'counter',
    help: 'Database calls that failed for a reason other than their own input, by reason: away, storage (its disk is full), connection, deadline, conflict, busy, unexpected.',
    labels: ['reason'],
  },
  chatapi_database_timeline_changes_total: {
    type: 'counter',
    help: 'Failovers of the database that this server went through, by outcome: complete (everything that was acknowledged is there), lost (something is missing, or may be: the epoch was raised).',
    labels: ['outcome'],
  },
  chatapi_rate_limited_total: {
    type: 'counter',
    help: 'Requests and frames refused by a rate limit, by family of routes or frames.',
    labels: ['family'],
  },
  chatapi_rate_leases_total: {
    type: 'counter',
    help: 'Times that this node asked Redis for calls of a rate limit, as a rule for several at once. Only with several nodes.',
    labels: [],
  },
  chatapi_rate_fallback_total: {
    type: 'counter',
    help: 'Requests and connections that were decided by this node’s own share of a limit, since Redis was away or slow: must be 0. Only with several nodes.',
    labels: [],
  },
  chatapi_redis_command_seconds: {
    type: 'histogram',
    help: 'Duration of a command to Redis that was answered in time, by operation. Only with several nodes.',
    labels: ['op'],
    // A command that takes longer than 100 ms was not answered.
    buckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1],
  },
  chatapi_redis_errors_total: {
    type: 'counter',
    help: 'Commands to Redis that were not answered in time or with an error, by operation. Only with several nodes.',
    labels: ['op'],
  },
  chatapi_frames_received_total: {
    type: 'counter',
    help: 'Messages that clients sent on their sockets, by type of frame; `unknown` is what could not be understood.',
    labels: ['type'],
  },
  chatapi_auth_failures_total: {
    type: 'counter',
    help: 'Requests and upgrades whose credential was refused, by reason.',
    labels: ['reason'],
  },
  chatapi_ws_connections: {
    type: 'gauge',
    help: 'Open sockets now, by path.',
    labels: ['path'],
  },
  chatapi_ws_closes_total: {
    type: 'counter',
    help: 'Sockets that were open and are over, by close code; 1006 when there was none.',
    labels: ['code'],
  },
  chatapi_ws_refused_total: {
    type: 'counter',
    help: 'Upgrades that were refused, by reason.',
    labels: ['reason'],
  },
  chatapi_ws_queue_bytes: {
    type: 'gauge',
    help: 'Bytes that wait for clients to take them now, over all sockets.',
    labels: [],
  },
  chatapi_ws_sent_frames_total: {
    type: 'counter',
    help: 'Frames written to sockets.',
    labels: [],
  },
  chatapi_ws_sent_bytes_total: {
    type: 'counter',
    help: 'Bytes written to sockets, framing included.',
    labels: [],
  },
  chatapi_comeback_waiting: {
    type: 'gauge',
    help: 'Pieces of work of reconnecting clients (upgrades, sync pages, presence snapshots) and of resyncs after a gap of the bus that wait for their turn now.',
    labels: [],
  },
  chatapi_resync_seconds: {
    type: 'histogram',
    help: 'After a gap of the bus: time from the beginning of a resync until all rooms with a channel here, and then all connected users, had been compared with the database, by part: rooms, users.',
    labels: ['part'],
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300],
  },
  chatapi_room_cache_bytes: {
    type: 'gauge',
    help: 'Memory of the newest messages of rooms, from which clients that come back are brought up to date (WS_CACHE_MB).',
    labels: [],
  },
  chatapi_comeback_wait_seconds: {
    type: 'histogram',
    help: 'Time that a piece of work of a reconnecting client has waited when its turn comes, by kind: upgrade, sync, presence; and of a resync after a gap of the bus: resync. What was refused or not wanted any more is not in it.',
    labels: ['kind'],
    // An upgrade is refused after 20 s.
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20],
  },
  chatapi_sync_rooms: {
    type: 'gauge',
    help: 'Rooms that connections wait to be brought up to date in now.',
    labels: [],
  },
  chatapi_sync_pages_total: {
    type: 'counter',
    help: 'Pages of missed messages and changes that were read from the log for connections, each of one or more rooms.',
    labels: [],
  },
  chatapi_sync_messages_total: {
    type: 'counter',
    help: 'Missed messages that were sent to connections, by where they came from: the memory that connections share (memory), or the log, read for one connection (log).',
    labels: ['source'],
  },
  chatapi_sync_reset_total: {
    type: 'counter',
    help: 'Rooms of which a client said that it has what the log does not have: it was told to drop it.',
    labels: [],
  },
  chatapi_sync_truncated_total: {
    type: 'counter',
    help: 'Rooms of which a connection had missed more than a sync sends.',
    labels: [],
  },
  chatapi_redelivered_total: {
    type: 'counter',
    help: 'Messages that were sent again to connections whose client had not acknowledged them, replays included.',
    labels: [],
  },
  chatapi_dead_letters: {
    type: 'gauge',
    help: 'Dead letters now, by kind: what was given up on and neither acknowledged nor dropped since.',
    labels: ['kind'],
  },
  chatapi_notifications_total: {
    type: 'counter',
    help: 'Notifications of single users, by what became of them: stored, delivered (also again), dead.',
    labels: ['outcome'],
  },
  chatapi_webhook_attempts_total: {
    type: 'counter',
    help: 'Posts to webhooks of tenants, by what came of the attempt: delivered, failed.',
    labels: ['outcome'],
  },
  chatapi_webhook_seconds: {
    type: 'histogram',
    help: 'Duration of a post to a webhook, answer included.',
    labels: [],
    buckets: LATENCY_SECONDS,
  },
  chatapi_model_requests_total: {
    type: 'counter',
    help: 'Answers asked of models, by outcome: completed, cut (after its first token), failed (before it), cancelled, unavailable (no channel to be tried).',
    labels: ['outcome'],
  },
  chatapi_model_first_token_seconds: {
    type: 'histogram',
    help: 'Time from a request to the first token of its answer, fallbacks included.',
    labels: [],
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
  },
  chatapi_model_fallbacks_total: {
    type: 'counter',
    help: 'Model channels that failed before the first token, so that the next one was tried.',
    labels: [],
  },
  chatapi_model_breakers_open: {
    type: 'gauge',
    help: 'Model channels that are not tried now on this server, since they failed again and again.',
    labels: [],
  },
  chatapi_jobs: {
    type: 'gauge',
    help: 'Background jobs now, by state. A job that is done is gone.',
    labels: ['state'],
  },
  chatapi_jobs_claims_total: {
    type: 'counter',
    help: 'Claims of background jobs by this node, by whether they were given any: some, empty.',
    labels: ['result'],
  },
  chatapi_jobs_ended_total: {
    type: 'counter',
    help: 'Attempts at background jobs that ended, by kind and by what became of the job.',
    labels: ['kind', 'outcome'],
  },
  chatapi_jobs_seconds: {
    type: 'histogram',
    help: 'Duration of an attempt at a background job, by kind.',
    labels: ['kind'],
    buckets: LATENCY_SECONDS,
  },
  chatapi_exports_total: {
    type: 'counter',
    help: 'Exports that have ended: ready or failed.',
    labels: ['outcome'],
  },
  chatapi_removed_rows_total: {
    type: 'counter',
    help: 'Rows that background work has deleted, by the work. Retention: messages, and what goes with them. Deletion: whatever a tenant had.',
    labels: ['work'],
  },
  chatapi_cluster_nodes: {
    type: 'gauge',
    help: 'Nodes of this installation now, as far as this one can see, itself included.',
    labels: [],
  },
  chatapi_presence_generation_changes_total: {
    type: 'counter',
    help: 'How often this node found that Redis had forgotten who is connected, or that no node had got through to it. For 30 s after it nobody is said to be offline.',
    labels: [],
  },
  chatapi_imports_total: {
    type: 'counter',
    help: 'Imports that ended a step, by what came of it: valid, invalid, done, failed.',
    labels: ['outcome'],
  },
} as const satisfies Record<`${typeof METRIC_PREFIX}${string}`, MetricDefinition>;
