// Generated from docs/asyncapi.json by "npm run docs". Do not edit.

export interface components {
    schemas: {
        readonly ack: {
            readonly request_id?: string;
            /** @example room_019000000000700080000000000000d0 */
            readonly room_id: string;
            /** @example 1 */
            readonly seq: number;
            /** @constant */
            readonly type: "ack";
        };
        readonly "ack.received": {
            readonly request_id?: string;
            /** @example room_019000000000700080000000000000d0 */
            readonly room_id: string;
            /** @example 1 */
            readonly seq: number;
            /** @constant */
            readonly type: "ack.received";
            /** @example alice */
            readonly user_id: string;
        };
        readonly "chat.connection_established": {
            /**
             * Format: uuid
             * @example 01900000-0000-7000-8000-0000000000f0
             */
            readonly chat_id: string;
            /** @constant */
            readonly event_type: "connection_established";
            /** @example tenant_019000000000700080000000000000a0 */
            readonly tenant_id: string;
            /**
             * Format: date-time
             * @example 2026-01-31T12:00:00.000Z
             */
            readonly timestamp: string;
            /** @example alice */
            readonly user_id: string;
        };
        readonly "chat.error": {
            readonly details: {
                readonly [key: string]: unknown;
            };
            /**
             * @example VALIDATION_ERROR
             * @enum {string}
             */
            readonly error_code: "VALIDATION_ERROR" | "AUTHENTICATION_ERROR" | "AUTHORIZATION_ERROR" | "NOT_FOUND" | "CONVERSATION_NOT_FOUND" | "METHOD_NOT_ALLOWED" | "CONFLICT" | "QUOTA_EXCEEDED" | "CURSOR_EXPIRED" | "PAYLOAD_TOO_LARGE" | "UNSUPPORTED_MEDIA_TYPE" | "IDEMPOTENCY_MISMATCH" | "RATE_LIMIT_EXCEEDED" | "RATE_LIMITED" | "INTERNAL_ERROR" | "MODEL_ERROR" | "CHANNEL_UNAVAILABLE" | "SERVICE_UNAVAILABLE";
            readonly error_message: string;
            /** @constant */
            readonly event_type: "error";
            readonly request_id?: string;
            /**
             * Format: date-time
             * @example 2026-01-31T12:00:00.000Z
             */
            readonly timestamp: string;
        };
        readonly "chat.message": {
            readonly client_message_id?: string;
            /** @example Hello, I need help with my account */
            readonly content: string;
            readonly max_tokens?: number;
            readonly metadata?: {
                readonly [key: string]: unknown;
            };
            /** @example gpt-4o */
            readonly model?: string;
            /** @enum {string} */
            readonly reasoning_effort?: "none" | "minimal" | "low" | "medium" | "high" | "xhigh";
            readonly request_id?: string;
            /**
             * @example {
             *       "type": "json_object"
             *     }
             */
            readonly response_format?: {
                readonly [key: string]: unknown;
            };
            readonly seed?: number;
            readonly stop?: readonly string[];
            /** Format: double */
            readonly temperature?: number;
            /** Format: double */
            readonly top_p?: number;
            /** @constant */
            readonly type?: "message";
        };
        readonly "chat.message_received": {
            /**
             * Format: uuid
             * @example 01900000-0000-7000-8000-0000000000f0
             */
            readonly chat_id: string;
            readonly client_message_id?: string;
            /** @example Hello, I need help with my account */
            readonly content: string;
            /** @constant */
            readonly event_type: "message_received";
            /** @example msg_019000000000700080000000000000e0 */
            readonly message_id: string;
            readonly request_id?: string;
            /** @example 1 */
            readonly seq: number;
            /**
             * Format: date-time
             * @example 2026-01-31T12:00:00.000Z
             */
            readonly timestamp: string;
        };
        readonly "chat.message_stream_ended": {
            /**
             * Format: uuid
             * @example 01900000-0000-7000-8000-0000000000f0
             */
            readonly chat_id: string;
            /** @example Hello! How can I help? */
            readonly content: string;
            /** @constant */
            readonly event_type: "message_stream_ended";
            /** @example stop */
            readonly finish_reason: string | null;
            /** @example msg_019000000000700080000000000000e0 */
            readonly message_id: string;
            /** @example 2 */
            readonly seq: number;
            /**
             * @example completed
             * @enum {string}
             */
            readonly status: "completed" | "cancelled" | "interrupted" | "failed" | "superseded";
            /**
             * Format: date-time
             * @example 2026-01-31T12:00:00.000Z
             */
            readonly timestamp: string;
            readonly usage: components["schemas"]["UsageDto"] | null;
        };
        readonly "chat.message_stream_reasoning": {
            /**
             * Format: uuid
             * @example 01900000-0000-7000-8000-0000000000f0
             */
            readonly chat_id: string;
            /** @constant */
            readonly event_type: "message_stream_reasoning";
            /** @example msg_019000000000700080000000000000e0 */
            readonly message_id: string;
            /** @example The user greets me. */
            readonly reasoning: string;
            /**
             * Format: date-time
             * @example 2026-01-31T12:00:00.000Z
             */
            readonly timestamp: string;
        };
        readonly "chat.message_stream_started": {
            /** @example -1 */
            readonly after_index: number;
            /**
             * Format: uuid
             * @example 01900000-0000-7000-8000-0000000000f0
             */
            readonly chat_id: string;
            /** @constant */
            readonly event_type: "message_stream_started";
            /** @example msg_019000000000700080000000000000e0 */
            readonly message_id: string;
            /**
             * Format: date-time
             * @example 2026-01-31T12:00:00.000Z
             */
            readonly timestamp: string;
        };
        readonly "chat.message_stream_token": {
            /**
             * Format: uuid
             * @example 01900000-0000-7000-8000-0000000000f0
             */
            readonly chat_id: string;
            /** @constant */
            readonly event_type: "message_stream_token";
            /** @example 0 */
            readonly index: number;
            /** @example msg_019000000000700080000000000000e0 */
            readonly message_id: string;
            /**
             * Format: date-time
             * @example 2026-01-31T12:00:00.000Z
             */
            readonly timestamp: string;
            /** @example Hello */
            readonly token: string;
        };
        readonly "chat.ping": {
            readonly request_id?: string;
            /** @constant */
            readonly type: "ping";
        };
        readonly "chat.pong": {
            /** @constant */
            readonly event_type: "pong";
            readonly request_id?: string;
            /**
             * Format: date-time
             * @example 2026-01-31T12:00:00.000Z
             */
            readonly timestamp: string;
        };
        readonly "chat.resume": {
            /** @example 41 */
            readonly after_index: number;
            /** @example msg_019000000000700080000000000000e0 */
            readonly message_id: string;
            readonly request_id?: string;
            /** @constant */
            readonly type: "resume";
        };
        readonly "chat.server_shutdown": {
            /** @constant */
            readonly event_type: "server_shutdown";
            /** @example 1500 */
            readonly reconnect_after_ms: number;
            /**
             * Format: date-time
             * @example 2026-01-31T12:00:00.000Z
             */
            readonly timestamp: string;
        };
        readonly "chat.stop": {
            readonly request_id?: string;
            /** @constant */
            readonly type: "stop";
        };
        readonly "chat.stopped": {
            /** @constant */
            readonly event_type: "stopped";
            /**
             * @example [
             *       "msg_019000000000700080000000000000e0"
             *     ]
             */
            readonly message_ids: readonly string[];
            readonly request_id?: string;
            /**
             * Format: date-time
             * @example 2026-01-31T12:00:00.000Z
             */
            readonly timestamp: string;
        };
        readonly "chat.user_created": {
            /** @constant */
            readonly event_type: "user_created";
            /**
             * Format: date-time
             * @example 2026-01-31T12:00:00.000Z
             */
            readonly timestamp: string;
            /** @example alice */
            readonly user_id: string;
        };
        readonly ChatClientFrame: components["schemas"]["chat.message"] | components["schemas"]["chat.stop"] | components["schemas"]["chat.resume"] | components["schemas"]["chat.ping"];
        readonly ChatServerFrame: components["schemas"]["chat.stopped"] | components["schemas"]["chat.pong"] | components["schemas"]["chat.connection_established"] | components["schemas"]["chat.error"] | components["schemas"]["chat.message_received"] | components["schemas"]["chat.message_stream_ended"] | components["schemas"]["chat.message_stream_reasoning"] | components["schemas"]["chat.message_stream_started"] | components["schemas"]["chat.message_stream_token"] | components["schemas"]["chat.server_shutdown"] | components["schemas"]["chat.user_created"];
        readonly ClientFrame: components["schemas"]["send_message"] | components["schemas"]["react"] | components["schemas"]["ack"] | components["schemas"]["read"] | components["schemas"]["typing.start"] | components["schemas"]["typing.stop"] | components["schemas"]["subscribe"] | components["schemas"]["unsubscribe"] | components["schemas"]["sync"] | components["schemas"]["notification.ack"] | components["schemas"]["ping"];
        readonly ConnectionLimitsDto: {
            /** @example 262144 */
            readonly frame_bytes: number;
            /** @example 100 */
            readonly other_frames_per_second: number;
            /** @example 10 */
            readonly ws_messages_per_second: number | null;
        };
        readonly error: {
            /**
             * @example VALIDATION_ERROR
             * @enum {string}
             */
            readonly code: "VALIDATION_ERROR" | "AUTHENTICATION_ERROR" | "AUTHORIZATION_ERROR" | "NOT_FOUND" | "CONVERSATION_NOT_FOUND" | "METHOD_NOT_ALLOWED" | "CONFLICT" | "QUOTA_EXCEEDED" | "CURSOR_EXPIRED" | "PAYLOAD_TOO_LARGE" | "UNSUPPORTED_MEDIA_TYPE" | "IDEMPOTENCY_MISMATCH" | "RATE_LIMIT_EXCEEDED" | "RATE_LIMITED" | "INTERNAL_ERROR" | "MODEL_ERROR" | "CHANNEL_UNAVAILABLE" | "SERVICE_UNAVAILABLE";
            readonly field?: string;
            readonly message: string;
            readonly request_id?: string;
            readonly retry_after_ms?: number;
            readonly retryable: boolean;
            readonly room_id?: string;
            /** @constant */
            readonly type: "error";
        };
        readonly hello: {
            /** @example conn_019aa1c2d3e4f5061728394a5b6c7d8e */
            readonly connection_id: string;
            /** @example 1 */
            readonly epoch: number;
            /** @example 30000 */
            readonly heartbeat_ms: number;
            readonly limits: components["schemas"]["ConnectionLimitsDto"];
            /** @example tenant_019000000000700080000000000000a0 */
            readonly tenant_id: string;
            /** @constant */
            readonly type: "hello";
            /** @example alice */
            readonly user_id: string;
        };
        readonly ListedReactionCountDto: {
            /** @example 2 */
            readonly count: number;
            /** @example 👍 */
            readonly key: string;
            readonly mine?: boolean;
            readonly users: readonly string[];
        };
        readonly "member.joined": {
            readonly by: string;
            readonly rev: number;
            /** @enum {string} */
            readonly role: "admin" | "member" | "agent";
            readonly room_id: string;
            /** @constant */
            readonly type: "member.joined";
            /** @example carol */
            readonly user_id: string;
        };
        readonly "member.left": {
            readonly by: string;
            readonly rev: number;
            /** @enum {string} */
            readonly role: "admin" | "member" | "agent";
            readonly room_id: string;
            /** @constant */
            readonly type: "member.left";
            /** @example carol */
            readonly user_id: string;
        };
        readonly "member.updated": {
            readonly by: string;
            readonly rev: number;
            /** @enum {string} */
            readonly role: "admin" | "member" | "agent";
            readonly room_id: string;
            /** @constant */
            readonly type: "member.updated";
            /** @example carol */
            readonly user_id: string;
        };
        readonly message: {
            readonly client_message_id: string | null;
            readonly content: string;
            readonly created_at: string;
            readonly deleted_at: string | null;
            readonly edited_at: string | null;
            readonly message_id: string;
            readonly meta: {
                readonly [key: string]: unknown;
            } | null;
            readonly reactions?: readonly components["schemas"]["ListedReactionCountDto"][];
            readonly reactions_rev?: number;
            readonly rev: number;
            readonly room_id: string;
            readonly sender_id: string;
            readonly seq: number;
            /** @constant */
            readonly type: "message";
        };
        readonly "message.accepted": {
            /** @example 2026-01-31T12:00:00.000Z */
            readonly created_at: string;
            /** @example msg_019aa1c2d3e4f5061728394a5b6c7d8e */
            readonly message_id: string;
            readonly replayed?: boolean;
            readonly request_id?: string;
            /** @example room_019000000000700080000000000000d0 */
            readonly room_id: string;
            /** @example 43 */
            readonly seq: number;
            /** @constant */
            readonly type: "message.accepted";
        };
        readonly "message.deleted": {
            /** @example 2026-01-31T12:00:00.000Z */
            readonly deleted_at: string;
            readonly message_id: string;
            readonly rev: number;
            readonly room_id: string;
            readonly seq: number;
            /** @constant */
            readonly type: "message.deleted";
        };
        readonly "message.pinned": {
            readonly message_id: string;
            /** @example 2026-01-31T12:00:00.000Z */
            readonly pinned_at: string;
            readonly pinned_by: string;
            readonly rev: number;
            readonly room_id: string;
            readonly seq: number;
            /** @constant */
            readonly type: "message.pinned";
        };
        readonly "message.stream.delta": {
            /** @example 7 */
            readonly index: number;
            /** @example msg_019000000000700080000000000000e0 */
            readonly message_id: string;
            /** @example room_019000000000700080000000000000d0 */
            readonly room_id: string;
            readonly text: string;
            /** @constant */
            readonly type: "message.stream.delta";
        };
        readonly "message.stream.end": {
            /** @example stop */
            readonly finish_reason: string | null;
            /** @example msg_019000000000700080000000000000e0 */
            readonly message_id: string;
            /** @example room_019000000000700080000000000000d0 */
            readonly room_id: string;
            /** @example 2 */
            readonly seq: number;
            /** @enum {string} */
            readonly status: "completed" | "cancelled" | "interrupted" | "failed" | "superseded";
            /** @constant */
            readonly type: "message.stream.end";
        };
        readonly "message.stream.error": {
            /** @enum {string} */
            readonly code: "QUOTA_EXCEEDED" | "RATE_LIMIT_EXCEEDED" | "MODEL_ERROR" | "CHANNEL_UNAVAILABLE" | "INTERNAL_ERROR" | "CANCELLED";
            readonly message: string;
            /** @example msg_019000000000700080000000000000e0 */
            readonly message_id: string;
            /** @example room_019000000000700080000000000000d0 */
            readonly room_id: string;
            /** @constant */
            readonly type: "message.stream.error";
        };
        readonly "message.stream.start": {
            /** @example msg_019000000000700080000000000000e0 */
            readonly message_id: string;
            /** @example room_019000000000700080000000000000d0 */
            readonly room_id: string;
            /** @example agent_default */
            readonly sender_id: string;
            /** @constant */
            readonly type: "message.stream.start";
        };
        readonly "message.unpinned": {
            readonly message_id: string;
            readonly rev: number;
            readonly room_id: string;
            readonly seq: number;
            /** @constant */
            readonly type: "message.unpinned";
            readonly user_id?: string;
        };
        readonly "message.updated": {
            readonly client_message_id: string | null;
            readonly content: string;
            readonly created_at: string;
            readonly deleted_at: string | null;
            readonly edited_at: string | null;
            readonly message_id: string;
            readonly meta: {
                readonly [key: string]: unknown;
            } | null;
            readonly reactions?: readonly components["schemas"]["ListedReactionCountDto"][];
            readonly reactions_rev?: number;
            readonly rev: number;
            readonly room_id: string;
            readonly sender_id: string;
            readonly seq: number;
            /** @constant */
            readonly type: "message.updated";
        };
        readonly notification: {
            /** @example 2026-01-31T12:00:00.000Z */
            readonly created_at: string;
            /** @example notif_019000000000700080000000000000f0 */
            readonly notification_id: string;
            readonly payload: {
                readonly [key: string]: unknown;
            };
            /** @example order.shipped */
            readonly topic: string;
            /** @constant */
            readonly type: "notification";
        };
        readonly "notification.ack": {
            /** @example notif_019000000000700080000000000000f0 */
            readonly notification_id: string;
            readonly request_id?: string;
            /** @constant */
            readonly type: "notification.ack";
        };
        readonly "notification.acked": {
            /** @example notif_019000000000700080000000000000f0 */
            readonly notification_id: string;
            readonly request_id?: string;
            /** @constant */
            readonly type: "notification.acked";
        };
        readonly ping: {
            readonly request_id?: string;
            /** @constant */
            readonly type: "ping";
        };
        readonly pong: {
            readonly request_id?: string;
            /** @constant */
            readonly type: "pong";
        };
        readonly "presence.snapshot": {
            /** @constant */
            readonly type: "presence.snapshot";
            /**
             * @example [
             *       "bob",
             *       "carol"
             *     ]
             */
            readonly user_ids: readonly string[];
        };
        readonly "presence.update": {
            /** @enum {string} */
            readonly status: "online" | "offline";
            /** @constant */
            readonly type: "presence.update";
            /** @example bob */
            readonly user_id: string;
        };
        readonly react: {
            /** @example 👍 */
            readonly key: string;
            /** @example msg_019aa1c2d3e4f5061728394a5b6c7d8e */
            readonly message_id: string;
            readonly on: boolean;
            readonly request_id?: string;
            /** @example room_019000000000700080000000000000d0 */
            readonly room_id: string;
            /** @constant */
            readonly type: "react";
        };
        readonly "reaction.accepted": {
            readonly count: number;
            readonly key: string;
            readonly message_id: string;
            readonly on: boolean;
            readonly request_id?: string;
            readonly room_id: string;
            readonly seq: number;
            /** @constant */
            readonly type: "reaction.accepted";
        };
        readonly "reaction.updated": {
            readonly count?: number;
            readonly key?: string;
            readonly message_id: string;
            readonly on?: boolean;
            readonly reactions: readonly components["schemas"]["ReactionCountDto"][];
            readonly replaced?: readonly components["schemas"]["ReplacedReactionDto"][];
            readonly rev: number;
            readonly room_id: string;
            readonly seq: number;
            /** @constant */
            readonly type: "reaction.updated";
            readonly user_id?: string;
        };
        readonly ReactionCountDto: {
            /** @example 2 */
            readonly count: number;
            /** @example 👍 */
            readonly key: string;
            readonly users: readonly string[];
        };
        readonly read: {
            readonly request_id?: string;
            /** @example room_019000000000700080000000000000d0 */
            readonly room_id: string;
            /** @example 1 */
            readonly seq: number;
            /** @constant */
            readonly type: "read";
        };
        readonly "read.received": {
            readonly request_id?: string;
            /** @example room_019000000000700080000000000000d0 */
            readonly room_id: string;
            /** @example 1 */
            readonly seq: number;
            /** @constant */
            readonly type: "read.received";
            /** @example alice */
            readonly user_id: string;
        };
        readonly "read.update": {
            /** @example room_019000000000700080000000000000d0 */
            readonly room_id: string;
            /** @example 42 */
            readonly seq: number;
            /** @constant */
            readonly type: "read.update";
            /** @example bob */
            readonly user_id: string;
        };
        readonly ReplacedReactionDto: {
            readonly count: number;
            readonly key: string;
        };
        readonly "room.deleted": {
            readonly by?: string;
            readonly rev: number;
            readonly room_id: string;
            /** @constant */
            readonly type: "room.deleted";
        };
        readonly "room.me": {
            readonly favourite: boolean;
            readonly hidden: boolean;
            readonly muted_until: string | null;
            /** @enum {string} */
            readonly notify: "all" | "mentions" | "none";
            /** @example room_019000000000700080000000000000d0 */
            readonly room_id: string;
            /** @constant */
            readonly type: "room.me";
            readonly unread_seq: number | null;
        };
        readonly "room.trimmed": {
            readonly first_seq: number;
            readonly rev: number;
            readonly room_id: string;
            /** @constant */
            readonly type: "room.trimmed";
        };
        readonly "room.updated": {
            /** @example 2026-01-31T12:00:00.000Z */
            readonly created_at: string;
            readonly first_seq: number;
            readonly last_rev: number;
            readonly last_seq: number;
            readonly member_count: number;
            readonly metadata: {
                readonly [key: string]: unknown;
            } | null;
            readonly name: string | null;
            /** @enum {string} */
            readonly posting: "members" | "admins";
            readonly rev: number;
            /** @example room_019000000000700080000000000000d0 */
            readonly room_id: string;
            /** @enum {string} */
            readonly room_type: "dm" | "group" | "channel" | "ai";
            readonly settings: components["schemas"]["RoomSettingsDto"];
            /** @constant */
            readonly type: "room.updated";
            readonly unique_key: string | null;
            readonly updated_at: string;
        };
        readonly RoomSettingsDto: {
            /** @enum {string} */
            readonly pin: "members" | "admins";
            /** @enum {string} */
            readonly reactions: "distinct" | "unique" | "off";
        };
        readonly send_message: {
            readonly client_message_id?: string;
            /** @example Hello, world! */
            readonly content: string;
            /**
             * @example {
             *       "type": "text",
             *       "mentions": [
             *         "bob"
             *       ]
             *     }
             */
            readonly meta?: {
                readonly [key: string]: unknown;
            };
            readonly request_id?: string;
            /** @example room_019000000000700080000000000000d0 */
            readonly room_id: string;
            /** @constant */
            readonly type: "send_message";
        };
        readonly "server.shutdown": {
            /** @example 1500 */
            readonly reconnect_after_ms: number;
            /** @constant */
            readonly type: "server.shutdown";
        };
        readonly ServerFrame: components["schemas"]["message.accepted"] | components["schemas"]["reaction.accepted"] | components["schemas"]["ack.received"] | components["schemas"]["read.received"] | components["schemas"]["subscribed"] | components["schemas"]["unsubscribed"] | components["schemas"]["notification.acked"] | components["schemas"]["pong"] | components["schemas"]["error"] | components["schemas"]["hello"] | components["schemas"]["member.joined"] | components["schemas"]["member.left"] | components["schemas"]["member.updated"] | components["schemas"]["message"] | components["schemas"]["message.deleted"] | components["schemas"]["message.pinned"] | components["schemas"]["message.stream.delta"] | components["schemas"]["message.stream.end"] | components["schemas"]["message.stream.error"] | components["schemas"]["message.stream.start"] | components["schemas"]["message.unpinned"] | components["schemas"]["message.updated"] | components["schemas"]["notification"] | components["schemas"]["presence.snapshot"] | components["schemas"]["presence.update"] | components["schemas"]["reaction.updated"] | components["schemas"]["read.update"] | components["schemas"]["room.deleted"] | components["schemas"]["room.me"] | components["schemas"]["room.trimmed"] | components["schemas"]["room.updated"] | components["schemas"]["server.shutdown"] | components["schemas"]["sync.complete"] | components["schemas"]["sync.reset"] | components["schemas"]["sync.truncated"] | components["schemas"]["typing"];
        readonly subscribe: {
            readonly request_id?: string;
            /** @example room_019000000000700080000000000000d0 */
            readonly room_id: string;
            /** @constant */
            readonly type: "subscribe";
        };
        readonly subscribed: {
            /** @example 57 */
            readonly last_rev: number;
            /** @example 42 */
            readonly last_seq: number;
            readonly request_id?: string;
            /** @example room_019000000000700080000000000000d0 */
            readonly room_id: string;
            /** @constant */
            readonly type: "subscribed";
        };
        readonly sync: {
            /** @example msg_0190f3a1b2c37d4e8f00112233445567 */
            readonly after_id?: string;
            readonly after_rev?: number;
            /** @example 41 */
            readonly after_seq?: number;
            readonly request_id?: string;
            /** @example room_019000000000700080000000000000d0 */
            readonly room_id?: string;
            readonly rooms?: readonly components["schemas"]["SyncRoomDto"][];
            /** @constant */
            readonly type: "sync";
        };
        readonly "sync.complete": {
            /** @example 1 */
            readonly first_seq: number;
            /** @example msg_0190f3a1b2c37d4e8f00112233445567 */
            readonly last_id: string | null;
            /** @example 1560 */
            readonly last_rev: number;
            /** @example 1541 */
            readonly last_seq: number;
            readonly request_id?: string;
            /** @example room_019000000000700080000000000000d0 */
            readonly room_id: string;
            /** @constant */
            readonly type: "sync.complete";
        };
        readonly "sync.reset": {
            /** @example 1795889161 */
            readonly epoch: number;
            /** @example 1 */
            readonly first_seq: number;
            /** @example 4 */
            readonly last_rev: number;
            /** @example 4 */
            readonly last_seq: number;
            readonly request_id?: string;
            /** @example room_019000000000700080000000000000d0 */
            readonly room_id: string;
            /** @constant */
            readonly type: "sync.reset";
        };
        readonly "sync.truncated": {
            readonly after_rev?: number;
            /** @example 41 */
            readonly after_seq: number;
            readonly before_rev?: number;
            /** @example 1042 */
            readonly before_seq: number;
            /** @example 1 */
            readonly first_seq: number;
            readonly request_id?: string;
            /** @example room_019000000000700080000000000000d0 */
            readonly room_id: string;
            /** @constant */
            readonly type: "sync.truncated";
        };
        readonly SyncRoomDto: {
            /** @example msg_0190f3a1b2c37d4e8f00112233445567 */
            readonly after_id?: string;
            readonly after_rev?: number;
            /** @example 41 */
            readonly after_seq: number;
            /** @example room_019000000000700080000000000000d0 */
            readonly room_id: string;
        };
        readonly typing: {
            /** @enum {string} */
            readonly action: "start" | "stop";
            /** @example room_019000000000700080000000000000d0 */
            readonly room_id: string;
            /** @constant */
            readonly type: "typing";
            /** @example bob */
            readonly user_id: string;
        };
        readonly "typing.start": {
            readonly request_id?: string;
            /** @example room_019000000000700080000000000000d0 */
            readonly room_id: string;
            /** @constant */
            readonly type: "typing.start";
        };
        readonly "typing.stop": {
            readonly request_id?: string;
            /** @example room_019000000000700080000000000000d0 */
            readonly room_id: string;
            /** @constant */
            readonly type: "typing.stop";
        };
        readonly unsubscribe: {
            readonly request_id?: string;
            /** @example room_019000000000700080000000000000d0 */
            readonly room_id: string;
            /** @constant */
            readonly type: "unsubscribe";
        };
        readonly unsubscribed: {
            readonly request_id?: string;
            /** @example room_019000000000700080000000000000d0 */
            readonly room_id: string;
            /** @constant */
            readonly type: "unsubscribed";
        };
        readonly UsageDto: {
            readonly cached_prompt_tokens?: number;
            readonly completion_tokens: number;
            readonly estimated?: boolean;
            readonly prompt_tokens: number;
            readonly total_tokens: number;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
