// Generated from docs/openapi.json by "npm run docs". Do not edit.

export interface components {
    schemas: {
        readonly AddAgentDto: {
            readonly name?: string;
            readonly preset: string;
            /** @enum {string} */
            readonly respond: "mention" | "always" | "never";
        };
        readonly AddMembersDto: {
            /** @enum {string} */
            readonly role?: "admin" | "member";
            readonly user_ids: readonly string[];
        };
        readonly AdminMemberDto: {
            readonly joined_at: string;
            readonly joined_seq: number;
            readonly last_acked_seq: number;
            readonly last_read_seq: number;
            readonly last_seen_at: string | null;
            readonly moved_at: string | null;
            /** @enum {string} */
            readonly role: "admin" | "member" | "agent";
            /** @enum {string} */
            readonly status: "online" | "offline";
            readonly user_id: string;
        };
        readonly AdminMembershipDto: {
            readonly joined_at: string;
            readonly joined_seq: number;
            readonly last_acked_seq: number;
            readonly last_read_seq: number;
            /** @enum {string} */
            readonly role: "admin" | "member" | "agent";
            readonly room: components["schemas"]["AdminRoomDto"];
        };
        readonly AdminRoomDetailDto: {
            readonly created_at: string;
            readonly deleted_at: string | null;
            readonly first_seq: number;
            readonly last_activity_at: string;
            readonly last_rev: number;
            readonly last_seq: number;
            readonly legal_hold: boolean;
            readonly live_connections: number;
            readonly member_count: number;
            readonly members: readonly components["schemas"]["AdminMemberDto"][];
            readonly messages?: readonly components["schemas"]["MessageDto"][];
            readonly metadata: {
                readonly [key: string]: unknown;
            } | null;
            readonly name: string | null;
            readonly next: string | null;
            /** @enum {string} */
            readonly posting: "members" | "admins";
            readonly retention_days: number | null;
            readonly room_id: string;
            /** @enum {string} */
            readonly type: "dm" | "group" | "channel" | "ai";
            readonly updated_at: string;
        };
        readonly AdminRoomDto: {
            readonly created_at: string;
            readonly deleted_at: string | null;
            readonly first_seq: number;
            readonly last_activity_at: string;
            readonly last_rev: number;
            readonly last_seq: number;
            readonly legal_hold: boolean;
            readonly member_count: number;
            readonly name: string | null;
            /** @enum {string} */
            readonly posting: "members" | "admins";
            readonly retention_days: number | null;
            readonly room_id: string;
            /** @enum {string} */
            readonly type: "dm" | "group" | "channel" | "ai";
            readonly updated_at: string;
        };
        readonly AdminRoomsDto: {
            readonly items: readonly components["schemas"]["AdminRoomDto"][];
            readonly next: string | null;
        };
        readonly AdminUserDetailDto: {
            readonly created_at: string;
            readonly last_seen_at: string | null;
            readonly legal_hold: boolean;
            readonly memberships: readonly components["schemas"]["AdminMembershipDto"][];
            readonly messages?: readonly components["schemas"]["MessageDto"][];
            readonly next: string | null;
            /** @enum {string} */
            readonly status: "online" | "offline";
            readonly user_id: string;
        };
        readonly AdminUserDto: {
            readonly created_at: string;
            readonly last_seen_at: string | null;
            readonly legal_hold: boolean;
            /** @enum {string} */
            readonly status: "online" | "offline";
            readonly user_id: string;
        };
        readonly AdminUsersDto: {
            readonly items: readonly components["schemas"]["AdminUserDto"][];
            readonly next: string | null;
        };
        readonly AgentDto: {
            readonly agent_id: string;
            readonly created_at: string;
            readonly name: string | null;
            readonly paused: boolean;
            readonly paused_until: string | null;
            readonly preset: string;
            /** @enum {string} */
            readonly respond: "mention" | "always" | "never";
        };
        readonly AgentSettingsDto: {
            /** @enum {string} */
            readonly control?: "admins" | "members";
            readonly max_hops?: number;
        };
        readonly AnswerDto: {
            readonly conversationId: string;
            readonly finishReason: string | null;
            readonly response: string;
            readonly usage: components["schemas"]["TokenUsageDto"] | null;
        };
        readonly AppendQueueDto: {
            readonly bytes: number;
            readonly items: number;
            /** Format: double */
            readonly oldest_ms: number;
        };
        readonly AskDto: {
            readonly clientMessageId?: string;
            readonly conversationId?: string;
            readonly groupId?: string;
            readonly maxTokens?: number;
            readonly message: string;
            readonly model?: string;
            readonly preset?: string;
            /** @enum {string} */
            readonly reasoningEffort?: "none" | "minimal" | "low" | "medium" | "high" | "xhigh";
            readonly responseFormat?: {
                readonly [key: string]: unknown;
            };
            readonly seed?: number;
            readonly stop?: readonly string[];
            /** Format: double */
            readonly temperature?: number;
            /** Format: double */
            readonly topP?: number;
            readonly userId: string;
        };
        readonly AuditActorDto: {
            readonly key_id: string | null;
            readonly key_name: string | null;
            readonly key_prefix: string | null;
            /** @enum {string} */
            readonly kind: "master" | "key" | "user";
            readonly user_id: string | null;
        };
        readonly AuditFaultDto: {
            readonly n: number;
            /** @enum {string} */
            readonly why: "missing" | "altered" | "inserted" | "head" | "unknown_key";
        };
        readonly AuditHeadDto: {
            readonly mac: string;
            readonly n: number;
        };
        readonly AuditItemDto: {
            readonly action: string;
            readonly actor: components["schemas"]["AuditActorDto"];
            readonly address: string | null;
            readonly after: {
                readonly [key: string]: unknown;
            } | null;
            readonly at: string;
            readonly before: {
                readonly [key: string]: unknown;
            } | null;
            readonly details: {
                readonly [key: string]: unknown;
            } | null;
            readonly n: number;
            readonly request_id: string;
            readonly target: components["schemas"]["AuditTargetDto"] | null;
        };
        readonly AuditPageDto: {
            readonly items: readonly components["schemas"]["AuditItemDto"][];
            readonly next: string | null;
        };
        readonly AuditTargetDto: {
            readonly id: string | null;
            readonly kind: string;
            readonly user_id: string | null;
        };
        readonly CanIAnswerDto: {
            readonly allowed: boolean;
            /** @enum {string|null} */
            readonly depends_on: "membership" | "ownership" | null;
            readonly route: string | null;
            readonly rule: string | null;
            readonly why: string | null;
        };
        readonly CanIDto: {
            /** @enum {string} */
            readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
            readonly path: string;
        };
        readonly ChangeAgentDto: {
            readonly name?: string | null;
            /** @enum {string} */
            readonly respond?: "mention" | "always" | "never";
        };
        readonly ChangesDto: {
            readonly changes: readonly ({
                readonly rev: number;
                readonly room_id: string;
                /** @enum {string} */
                readonly type: "message" | "message.updated" | "message.deleted" | "member.joined" | "member.left" | "member.updated" | "room.updated" | "room.trimmed" | "room.deleted" | "reaction.updated" | "message.pinned" | "message.unpinned";
            } & {
                readonly [key: string]: unknown;
            })[];
            readonly epoch: number;
            readonly first_rev: number;
            readonly has_more: boolean;
            readonly last_rev: number;
            readonly reset?: boolean;
        };
        readonly ChannelDto: {
            /** @enum {string} */
            readonly authHeader: "authorization" | "api-key" | "x-api-key" | "x-goog-api-key";
            readonly baseUrl: string;
            readonly contextTokens: number | null;
            readonly createdAt: number;
            readonly enabled: boolean;
            readonly hasApiKey: boolean;
            readonly id: string;
            readonly lastFaults: readonly components["schemas"]["ChannelFaultDto"][];
            readonly maxTokens: number | null;
            readonly model: string;
            readonly modelPrices: {
                readonly [key: string]: components["schemas"]["ChannelPricesDto"];
            };
            readonly models: {
                readonly [key: string]: string;
            };
            readonly name: string;
            readonly params: components["schemas"]["ChannelParamsInForceDto"];
            readonly prices: components["schemas"]["ChannelPricesDto"] | null;
            readonly priority: number;
            readonly provider: string;
            /** Format: double */
            readonly temperature: number | null;
            readonly timeoutMs: number;
            readonly timeouts: components["schemas"]["ChannelTimeoutsInForceDto"];
            readonly updatedAt: number;
            readonly vision: boolean;
            readonly weight: number;
        };
        readonly ChannelFaultDto: {
            readonly at: number;
            readonly code: string | null;
            readonly fault: string;
            readonly hint: string;
            readonly model: string;
            readonly providerMessage: string | null;
            /** @enum {string} */
            readonly reason: "auth" | "money" | "pace" | "model" | "overflow" | "content" | "request" | "timeout" | "reasoning" | "empty" | "provider";
            readonly status: number | null;
            readonly type: string | null;
        };
        readonly ChannelPageDto: {
            readonly channels: readonly components["schemas"]["ChannelDto"][];
            readonly hasMore: boolean;
            readonly limit: number;
            readonly offset: number;
            readonly total: number;
        };
        readonly ChannelParamsDto: {
            readonly extra?: {
                readonly [key: string]: unknown;
            };
            /** @enum {string} */
            readonly maxTokensField?: "max_tokens" | "max_completion_tokens" | "auto";
            /** @enum {unknown} */
            readonly streamOptions?: true | false | "auto";
            /** @enum {string} */
            readonly systemRole?: "system" | "developer" | "user";
        };
        readonly ChannelParamsInForceDto: {
            readonly extra: {
                readonly [key: string]: unknown;
            };
            /** @enum {string} */
            readonly maxTokensField: "max_tokens" | "max_completion_tokens" | "auto";
            readonly streamOptions: boolean | "auto";
            /** @enum {string} */
            readonly systemRole: "system" | "developer" | "user";
        };
        readonly ChannelPricesDto: {
            /** Format: double */
            readonly cached?: number;
            /** Format: double */
            readonly input: number;
            /** Format: double */
            readonly output: number;
        };
        readonly ChannelTestDto: {
            readonly error: components["schemas"]["ChannelFaultDto"] | null;
            readonly latencyMs: number;
            readonly model: string;
            readonly ok: boolean;
            readonly usage: components["schemas"]["ChannelTestUsageDto"] | null;
        };
        readonly ChannelTestUsageDto: {
            readonly completionTokens: number;
            readonly estimated: boolean;
            readonly promptTokens: number;
            readonly totalTokens: number;
        };
        readonly ChannelTimeoutsDto: {
            readonly firstMs?: number | null;
            readonly idleMs?: number | null;
            readonly totalMs?: number | null;
        };
        readonly ChannelTimeoutsInForceDto: {
            readonly firstMs: number;
            readonly idleMs: number;
            readonly totalMs: number;
        };
        readonly ChatCompletionDto: {
            readonly max_completion_tokens?: number;
            readonly max_tokens?: number;
            readonly messages: readonly components["schemas"]["OpenAiMessageDto"][];
            readonly model: string;
            /** @enum {string} */
            readonly reasoning_effort?: "none" | "minimal" | "low" | "medium" | "high" | "xhigh";
            readonly response_format?: {
                readonly [key: string]: unknown;
            };
            readonly seed?: number;
            readonly stop?: readonly string[];
            readonly stream?: boolean;
            readonly stream_options?: {
                readonly [key: string]: unknown;
            };
            /** Format: double */
            readonly temperature?: number;
            /** Format: double */
            readonly top_p?: number;
            readonly user?: string;
        };
        readonly ChatConfigDto: {
            readonly metadata: {
                readonly [key: string]: unknown;
            };
            readonly preset: string;
            readonly preset_deleted?: boolean;
        };
        readonly ChatDto: {
            readonly config: components["schemas"]["ChatConfigDto"];
            readonly created_at: string;
            readonly external_id?: string;
            readonly id: string;
            readonly last_message_at: string | null;
            readonly tenant_id: string;
            readonly title: string;
            readonly updated_at: string;
            readonly user_id: string;
        };
        readonly ChatMessageDto: {
            readonly chat_id: string;
            readonly content: string;
            readonly created_at: string;
            readonly deleted_at?: string;
            readonly finish_reason?: string;
            readonly id: string;
            readonly metadata: {
                readonly [key: string]: unknown;
            } | null;
            readonly reasoning?: string;
            readonly reply_to_seq?: number;
            /** @enum {string} */
            readonly sender_role: "user" | "assistant" | "system";
            readonly seq: number;
            /** @enum {string} */
            readonly status: "completed" | "cancelled" | "interrupted" | "failed" | "superseded";
            readonly usage?: components["schemas"]["UsageDto"];
        };
        readonly ChatMessagePageDto: {
            readonly has_more: boolean;
            readonly limit: number;
            readonly messages: readonly components["schemas"]["ChatMessageDto"][];
            readonly offset: number;
            readonly total: number;
        };
        readonly ChatPageDto: {
            readonly chats: readonly components["schemas"]["ChatDto"][];
            readonly has_more: boolean;
            readonly limit: number;
            readonly offset: number;
            readonly total: number;
        };
        readonly ClearedDto: {
            /** @enum {string} */
            readonly message: "Context cleared";
            readonly success: boolean;
        };
        readonly CompletionChoiceDto: {
            /** @enum {string} */
            readonly finish_reason: "stop" | "length" | "content_filter";
            readonly index: number;
            readonly logprobs: {
                readonly [key: string]: unknown;
            } | null;
            readonly message: components["schemas"]["CompletionMessageDto"];
        };
        readonly CompletionDto: {
            readonly choices: readonly components["schemas"]["CompletionChoiceDto"][];
            readonly created: number;
            readonly id: string;
            readonly metadata?: {
                readonly [key: string]: string;
            };
            readonly model: string;
            /** @enum {string} */
            readonly object: "chat.completion";
            readonly usage?: components["schemas"]["CompletionUsageDto"] | null;
        };
        readonly CompletionMessageDto: {
            readonly content: string;
            readonly refusal: string | null;
            /** @enum {string} */
            readonly role: "assistant";
        };
        readonly CompletionUsageDto: {
            readonly completion_tokens: number;
            readonly prompt_tokens: number;
            readonly prompt_tokens_details?: components["schemas"]["PromptTokensDetailsDto"];
            readonly total_tokens: number;
        };
        readonly ConnectionCredentialDto: {
            readonly key_id: string | null;
            readonly key_name: string | null;
            readonly key_prefix: string | null;
            /** @enum {string} */
            readonly kind: "key" | "token";
        };
        readonly ConnectionDto: {
            readonly address: string;
            readonly agent: string | null;
            readonly bytes_in: number;
            readonly bytes_out: number;
            readonly connection_id: string;
            readonly credential: components["schemas"]["ConnectionCredentialDto"];
            readonly node_id: string;
            readonly path: string;
            readonly queue_bytes: number;
            readonly rooms: number;
            readonly since: string;
            readonly user_id: string;
        };
        readonly ConnectionsDto: {
            readonly items: readonly components["schemas"]["ConnectionDto"][];
            readonly missing_nodes: readonly string[];
            readonly next: string | null;
        };
        readonly ConversationDto: {
            readonly groupId: string | null;
            readonly id: string;
            readonly lastMessage: string | null;
            readonly lastMessageTruncated: boolean;
            readonly messageCount: number;
            readonly updatedAt: number;
            readonly userId: string;
        };
        readonly ConversationHistoryDto: {
            readonly id: string;
            readonly messages: readonly components["schemas"]["ConversationMessageDto"][];
            readonly total: number;
        };
        readonly ConversationListDto: {
            readonly conversations: readonly components["schemas"]["ConversationDto"][];
            readonly total: number;
        };
        readonly ConversationMessageDto: {
            readonly content: string;
            readonly finishReason?: string;
            readonly reasoning?: string;
            /** @enum {string} */
            readonly role: "user" | "assistant" | "system";
            readonly timestamp: number;
        };
        readonly CountsDto: {
            readonly capped: readonly string[];
            readonly counted_at: string;
            readonly dead_letters: components["schemas"]["DeadLetterCountsDto"];
            readonly jobs: readonly components["schemas"]["JobCountsDto"][];
            readonly runs: components["schemas"]["RunCountsDto"];
        };
        readonly CreateChannelDto: {
            readonly apiKey?: string | null;
            /** @enum {string|null} */
            readonly authHeader?: "authorization" | "api-key" | "x-api-key" | "x-goog-api-key" | null;
            readonly baseUrl?: string;
            readonly contextTokens?: number | null;
            readonly enabled?: boolean;
            readonly maxTokens?: number | null;
            readonly model?: string;
            readonly modelPrices?: {
                readonly [key: string]: unknown;
            };
            readonly models?: {
                readonly [key: string]: unknown;
            };
            readonly name: string;
            readonly params?: components["schemas"]["ChannelParamsDto"];
            readonly prices?: components["schemas"]["ChannelPricesDto"] | null;
            readonly priority?: number;
            /** @enum {string} */
            readonly provider: "openai-compatible" | "anthropic" | "google" | "echo";
            /** Format: double */
            readonly temperature?: number | null;
            readonly timeoutMs?: number;
            readonly timeouts?: components["schemas"]["ChannelTimeoutsDto"];
            readonly vision?: boolean;
            readonly weight?: number;
        };
        readonly CreateChatDto: {
            readonly metadata?: {
                readonly [key: string]: unknown;
            };
            readonly preset?: string;
            readonly title?: string;
            readonly user_id: string;
        };
        readonly CreateImportDto: {
            /** @enum {string} */
            readonly source: "chatapi" | "slack" | "stream";
        };
        readonly CreateKeyDto: {
            readonly expires_at?: string;
            readonly name: string;
            readonly scopes?: readonly ("chat" | "admin")[];
        };
        readonly CreatePresetDto: {
            readonly contextMessages?: number;
            readonly contextTokens?: number | null;
            readonly keepReasoning?: boolean;
            readonly maxTokens?: number | null;
            readonly model?: string | null;
            readonly name: string;
            /** @enum {string|null} */
            readonly reasoningEffort?: "none" | "minimal" | "low" | "medium" | "high" | "xhigh" | null;
            readonly responseFormat?: {
                readonly [key: string]: unknown;
            } | null;
            readonly seed?: number | null;
            readonly stop?: readonly string[] | null;
            readonly systemPrompt: string;
            /** Format: double */
            readonly temperature?: number | null;
            /** Format: double */
            readonly topP?: number | null;
        };
        readonly CreateResponseDto: {
            readonly background?: boolean;
            readonly input: string | readonly components["schemas"]["OpenAiMessageDto"][];
            readonly instructions?: string;
            readonly max_output_tokens?: number;
            readonly model: string;
            readonly previous_response_id?: string;
            readonly reasoning?: {
                readonly [key: string]: unknown;
            };
            readonly store?: boolean;
            readonly stream?: boolean;
            /** Format: double */
            readonly temperature?: number;
            readonly text?: {
                readonly [key: string]: unknown;
            };
            /** Format: double */
            readonly top_p?: number;
            readonly user?: string;
        };
        readonly CreateRoomDto: {
            readonly members?: readonly string[];
            readonly metadata?: {
                readonly [key: string]: unknown;
            };
            readonly name?: string;
            /** @enum {string} */
            readonly posting?: "members" | "admins";
            /** @enum {string} */
            readonly type: "dm" | "group" | "channel";
        };
        readonly CreateTenantDto: {
            readonly limits?: components["schemas"]["LimitsDto"];
            readonly name: string;
            readonly settings?: components["schemas"]["SettingsDto"];
        };
        readonly CreateTokenDto: {
            readonly expires_in?: number;
            readonly user_id: string;
        };
        readonly DeadLetterCountsDto: {
            readonly message: number;
            readonly notification: number;
            readonly webhook: number;
        };
        readonly DeadLetterFilterDto: {
            readonly before?: string;
            /** @enum {string} */
            readonly kind?: "message" | "notification" | "webhook";
            readonly room_id?: string;
            readonly user_id?: string;
        };
        readonly DeadLettersDto: {
            readonly failed_messages: readonly components["schemas"]["FailedMessageDto"][];
            readonly failed_notifications: readonly components["schemas"]["FailedNotificationDto"][];
            readonly failed_webhooks: readonly components["schemas"]["FailedWebhookDto"][];
        };
        readonly DeletionBegunDto: {
            readonly deletion_id: string;
            /** @enum {string} */
            readonly state: "waiting" | "deleting" | "done" | "failed";
        };
        readonly DeletionDto: {
            readonly deleted: {
                readonly [key: string]: number;
            };
            readonly deletion_id: string;
            readonly error: string | null;
            readonly finished_at: string | null;
            readonly started_at: string;
            /** @enum {string} */
            readonly state: "waiting" | "deleting" | "done" | "failed";
        };
        readonly EditMessageDto: {
            readonly content?: string;
            readonly meta?: {
                readonly [key: string]: unknown;
            };
        };
        readonly EffectiveDto: {
            readonly limits: {
                readonly [key: string]: {
                    readonly default: number | null;
                    /** @enum {string} */
                    readonly source: "default" | "tenant";
                    readonly value: number | null;
                };
            };
            readonly settings: {
                readonly [key: string]: {
                    readonly default: unknown;
                    /** @enum {string} */
                    readonly source: "default" | "tenant";
                    readonly value: unknown;
                };
            };
        };
        readonly EnvironmentChannelDto: {
            readonly baseUrl: string;
            readonly lastFaults: readonly components["schemas"]["ChannelFaultDto"][];
            readonly model: string;
            readonly name: string;
            readonly provider: string;
            readonly timeouts: components["schemas"]["ChannelTimeoutsInForceDto"];
        };
        readonly ErasureDto: {
            readonly counts: {
                readonly [key: string]: number;
            };
            readonly erasure_id: string;
            readonly error: string | null;
            readonly finished_at: string | null;
            readonly requested_at: string;
            /** @enum {string} */
            readonly state: "refusing" | "erasing" | "done" | "failed";
        };
        readonly ErasureStartedDto: {
            readonly erasure_id: string;
            /** @enum {string} */
            readonly state: "refusing" | "erasing";
        };
        readonly ErrorAnswer: {
            readonly data: Record<string, never> | null;
            readonly error: {
                /** @enum {string} */
                readonly code: "VALIDATION_ERROR" | "AUTHENTICATION_ERROR" | "AUTHORIZATION_ERROR" | "NOT_FOUND" | "CONVERSATION_NOT_FOUND" | "METHOD_NOT_ALLOWED" | "CONFLICT" | "QUOTA_EXCEEDED" | "CURSOR_EXPIRED" | "PAYLOAD_TOO_LARGE" | "UNSUPPORTED_MEDIA_TYPE" | "IDEMPOTENCY_MISMATCH" | "RATE_LIMIT_EXCEEDED" | "RATE_LIMITED" | "INTERNAL_ERROR" | "MODEL_ERROR" | "CHANNEL_UNAVAILABLE" | "SERVICE_UNAVAILABLE";
                readonly details: {
                    readonly hint: string;
                } & {
                    readonly [key: string]: unknown;
                };
                readonly field?: string;
                readonly message: string;
                readonly request_id: string;
            };
            /** @enum {boolean} */
            readonly success: false;
        };
        readonly ExportDto: {
            readonly bytes: number | null;
            readonly created_at: string;
            readonly error: string | null;
            readonly expires_at: string | null;
            readonly export_id: string;
            readonly lines: number | null;
            readonly ready_at: string | null;
            readonly sha256: string | null;
            /** @enum {string} */
            readonly state: "queued" | "running" | "ready" | "failed" | "expired";
            readonly user_id: string | null;
        };
        readonly ExportPageDto: {
            readonly items: readonly components["schemas"]["ExportDto"][];
            readonly next: string | null;
        };
        readonly FailedMessageDto: {
            readonly attempts: number;
            readonly error: string;
            readonly id: string;
            readonly last_attempt_at: string;
            readonly message_id: string;
            readonly room_id: string;
            readonly user_id: string;
        };
        readonly FailedNotificationDto: {
            readonly attempts: number;
            readonly error: string;
            readonly id: string;
            readonly last_attempt_at: string;
            readonly notification_id: string;
            readonly topic: string;
            readonly user_id: string;
        };
        readonly FailedWebhookDto: {
            readonly attempts: number;
            readonly error: string;
            readonly id: string;
            readonly last_attempt_at: string;
            readonly type: string;
            readonly webhook_id: string;
        };
        readonly FiguresDto: {
            readonly append: components["schemas"]["AppendQueueDto"];
            readonly connections: components["schemas"]["SocketCountsDto"];
            /** Format: double */
            readonly deliveries_per_second: number;
            /** Format: double */
            readonly messages_per_second: number;
            readonly online: number;
            readonly queue_bytes: number;
            /** Format: double */
            readonly refused_per_second: number;
            readonly rooms_live: number;
            /** Format: double */
            readonly send_p50_ms: number | null;
            /** Format: double */
            readonly send_p99_ms: number | null;
            /** Format: double */
            readonly tokens_per_second: number;
        };
        readonly FileTicketDto: {
            readonly expires_in: number;
            readonly url: string;
        };
        readonly HealthDto: {
            /** @enum {string} */
            readonly bus?: "live" | "down";
            readonly clock_offset_ms?: number;
            readonly db_writable: boolean;
            /** @enum {string} */
            readonly status: "ok" | "error";
            readonly uptime: string;
            readonly version: string;
        };
        readonly HoldUserDto: {
            readonly legal_hold?: boolean;
        };
        readonly ImportDto: {
            readonly bytes: number | null;
            readonly counts: {
                readonly [key: string]: number;
            };
            readonly created_at: string;
            readonly error: string | null;
            readonly fault_count: number;
            readonly faults: readonly components["schemas"]["ImportFaultDto"][];
            readonly finished_at: string | null;
            readonly import_id: string;
            readonly keeps_ids: boolean | null;
            readonly parts: number;
            readonly sha256: string | null;
            /** @enum {string} */
            readonly source: "chatapi" | "slack" | "stream";
            /** @enum {string} */
            readonly state: "uploading" | "validating" | "valid" | "invalid" | "running" | "done" | "failed";
        };
        readonly ImportFaultDto: {
            readonly field: string;
            readonly file: string;
            readonly line: number;
            readonly message: string;
        };
        readonly ImportPartDto: {
            readonly bytes: number;
            readonly part: number;
            readonly sha256: string;
        };
        readonly ImportsDto: {
            readonly items: readonly components["schemas"]["ImportDto"][];
            readonly next: string | null;
        };
        readonly InboxNotificationDto: {
            readonly created_at: string;
            readonly delivered_at: string | null;
            readonly notification_id: string;
            readonly payload: {
                readonly [key: string]: unknown;
            };
            readonly read_at: string | null;
            readonly topic: string;
        };
        readonly InboxPageDto: {
            readonly has_more: boolean;
            readonly limit: number;
            readonly notifications: readonly components["schemas"]["InboxNotificationDto"][];
            readonly offset: number;
            readonly total: number;
            readonly unread_count: number;
        };
        readonly JobCountsDto: {
            readonly dead: number;
            readonly kind: string;
            readonly queued: number;
            readonly running: number;
        };
        readonly JobDto: {
            readonly about: {
                readonly [key: string]: unknown;
            };
            readonly attempts: number;
            readonly created_at: string;
            readonly dead_at: string | null;
            readonly due_at: string;
            readonly job_id: string;
            readonly key: string;
            readonly kind: string;
            readonly last_error: string | null;
            /** @enum {string} */
            readonly state: "queued" | "running" | "dead";
            readonly tenant_id: string;
        };
        readonly JobKindDto: {
            readonly dead: number;
            readonly kind: string;
            readonly oldest_due_at: string | null;
            readonly queued: number;
            readonly running: number;
        };
        readonly JobsDto: {
            readonly items: readonly components["schemas"]["JobDto"][];
            readonly kinds: readonly components["schemas"]["JobKindDto"][];
            readonly next: string | null;
        };
        readonly KeyCreatedDto: {
            readonly api_key: string;
            readonly created_at: string;
            readonly expires_at: string | null;
            readonly key_id: string;
            readonly last_used_at: string | null;
            readonly name: string;
            readonly prefix: string;
            readonly revoked_at: string | null;
            readonly scopes: readonly ("chat" | "admin")[];
        };
        readonly KeyDto: {
            readonly created_at: string;
            readonly expires_at: string | null;
            readonly key_id: string;
            readonly last_used_at: string | null;
            readonly name: string;
            readonly prefix: string;
            readonly revoked_at: string | null;
            readonly scopes: readonly ("chat" | "admin")[];
        };
        readonly KeyPageDto: {
            readonly has_more: boolean;
            readonly keys: readonly components["schemas"]["KeyDto"][];
            readonly limit: number;
            readonly offset: number;
            readonly total: number;
        };
        readonly LastMessageDto: {
            readonly content: string;
            readonly created_at: string;
            readonly deleted_at: string | null;
            readonly edited_at: string | null;
            readonly message_id: string;
            readonly meta: {
                readonly [key: string]: unknown;
            } | null;
            readonly sender_id: string;
            readonly seq: number;
            readonly truncated: boolean;
        };
        readonly LimitsDto: {
            readonly ai_requests_per_minute?: (number | "default") | null;
            readonly chat_connections?: (number | "default") | null;
            readonly cost_per_day?: (number | "default") | null;
            readonly members_per_room?: (number | "default") | null;
            readonly requests_per_second?: (number | "default") | null;
            readonly rooms?: (number | "default") | null;
            readonly runs_at_once?: (number | "default") | null;
            readonly runs_at_once_per_user?: (number | "default") | null;
            readonly sse_streams?: (number | "default") | null;
            readonly sse_streams_per_user?: (number | "default") | null;
            readonly tokens_per_chat_per_day?: (number | "default") | null;
            readonly tokens_per_day?: (number | "default") | null;
            readonly tokens_per_user_per_day?: (number | "default") | null;
            readonly users?: (number | "default") | null;
            readonly ws_connections?: (number | "default") | null;
            readonly ws_connections_per_user?: (number | "default") | null;
            readonly ws_messages_per_second?: (number | "default") | null;
        };
        readonly ListedPinDto: {
            readonly message: components["schemas"]["MessageDto"];
            readonly pinned_at: string;
            readonly pinned_by: string;
        };
        readonly ListedReactionCountDto: {
            readonly count: number;
            readonly key: string;
            readonly mine?: boolean;
            readonly users: readonly string[];
        };
        readonly ListedRoomDto: {
            readonly created_at: string;
            readonly first_seq: number;
            readonly last_acked_seq?: number;
            readonly last_message?: components["schemas"]["LastMessageDto"] | null;
            readonly last_read_seq?: number;
            readonly last_rev: number;
            readonly last_seq: number;
            readonly me?: components["schemas"]["MeDto"];
            readonly member_count: number;
            readonly metadata: {
                readonly [key: string]: unknown;
            } | null;
            readonly name: string | null;
            /** @enum {string} */
            readonly posting: "members" | "admins";
            readonly room_id: string;
            readonly settings: components["schemas"]["RoomSettingsDto"];
            /** @enum {string} */
            readonly type: "dm" | "group" | "channel" | "ai";
            readonly unique_key: string | null;
            readonly unread_count?: number;
            readonly updated_at: string;
        };
        readonly MarkUnreadDto: {
            readonly seq: number;
        };
        readonly MeDto: {
            readonly favourite: boolean;
            readonly hidden: boolean;
            readonly muted_until: string | null;
            /** @enum {string} */
            readonly notify: "all" | "mentions" | "none";
            readonly unread_seq: number | null;
        };
        readonly MemberDto: {
            readonly joined_at: string;
            readonly last_seen_at: string | null;
            /** @enum {string} */
            readonly role: "admin" | "member" | "agent";
            /** @enum {string} */
            readonly status: "online" | "offline";
            readonly user_id: string;
        };
        readonly MessageAcceptedDto: {
            readonly created_at: string;
            readonly message_id: string;
            readonly seq: number;
        };
        readonly MessageDto: {
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
        };
        readonly MessageVersionDto: {
            readonly content: string;
            readonly created_at: string;
            readonly meta: {
                readonly [key: string]: unknown;
            } | null;
            readonly rev: number;
        };
        readonly MessageVersionPageDto: {
            readonly next: string | null;
            readonly versions: readonly components["schemas"]["MessageVersionDto"][];
        };
        readonly ModelDto: {
            readonly created: number;
            readonly id: string;
            /** @enum {string} */
            readonly object: "model";
            readonly owned_by: string;
        };
        readonly ModelListDto: {
            readonly data: readonly components["schemas"]["ModelDto"][];
            /** @enum {string} */
            readonly object: "list";
        };
        readonly NodeDatabaseDto: {
            readonly in_use: number;
            readonly size: number;
            readonly up: boolean;
            readonly waiting: number;
        };
        readonly NodeStatsDto: {
            readonly database: components["schemas"]["NodeDatabaseDto"];
            /** Format: double */
            readonly loop_delay_p99_ms: number;
            readonly name: string | null;
            readonly node_id: string;
            readonly rss_bytes: number;
            readonly started_at: string;
        };
        readonly NotificationTargetsDto: {
            readonly room_id?: string;
            readonly topic_subscribers?: boolean;
            readonly user_ids?: readonly string[];
        };
        readonly NotifiedDto: {
            readonly created_at: string;
            readonly notification_id: string;
        };
        readonly NotifyDto: {
            readonly payload: {
                readonly [key: string]: unknown;
            };
            readonly targets: components["schemas"]["NotificationTargetsDto"];
            readonly topic: string;
        };
        readonly OpenAiErrorAnswer: {
            readonly error: {
                /** @enum {string} */
                readonly code: "VALIDATION_ERROR" | "AUTHENTICATION_ERROR" | "AUTHORIZATION_ERROR" | "NOT_FOUND" | "CONVERSATION_NOT_FOUND" | "METHOD_NOT_ALLOWED" | "CONFLICT" | "QUOTA_EXCEEDED" | "CURSOR_EXPIRED" | "PAYLOAD_TOO_LARGE" | "UNSUPPORTED_MEDIA_TYPE" | "IDEMPOTENCY_MISMATCH" | "RATE_LIMIT_EXCEEDED" | "RATE_LIMITED" | "INTERNAL_ERROR" | "MODEL_ERROR" | "CHANNEL_UNAVAILABLE" | "SERVICE_UNAVAILABLE";
                readonly message: string;
                readonly param: string | null;
                readonly type: string;
            };
        };
        readonly OpenAiMessageDto: {
            readonly content: string | readonly Record<string, never>[];
            /** @enum {string} */
            readonly role: "system" | "developer" | "user" | "assistant";
        };
        readonly PatchChannelDto: {
            readonly apiKey?: string | null;
            /** @enum {string|null} */
            readonly authHeader?: "authorization" | "api-key" | "x-api-key" | "x-goog-api-key" | null;
            readonly baseUrl?: string;
            readonly contextTokens?: number | null;
            readonly enabled?: boolean;
            readonly maxTokens?: number | null;
            readonly model?: string;
            readonly modelPrices?: {
                readonly [key: string]: unknown;
            };
            readonly models?: {
                readonly [key: string]: unknown;
            };
            readonly name?: string;
            readonly params?: components["schemas"]["ChannelParamsDto"];
            readonly prices?: components["schemas"]["ChannelPricesDto"] | null;
            readonly priority?: number;
            /** @enum {string} */
            readonly provider?: "openai-compatible" | "anthropic" | "google" | "echo";
            /** Format: double */
            readonly temperature?: number | null;
            readonly timeoutMs?: number;
            readonly timeouts?: components["schemas"]["ChannelTimeoutsDto"];
            readonly vision?: boolean;
            readonly weight?: number;
        };
        readonly PatchPresetDto: {
            readonly contextMessages?: number;
            readonly contextTokens?: number | null;
            readonly keepReasoning?: boolean;
            readonly maxTokens?: number | null;
            readonly model?: string | null;
            /** @enum {string|null} */
            readonly reasoningEffort?: "none" | "minimal" | "low" | "medium" | "high" | "xhigh" | null;
            readonly responseFormat?: {
                readonly [key: string]: unknown;
            } | null;
            readonly seed?: number | null;
            readonly stop?: readonly string[] | null;
            readonly systemPrompt?: string;
            /** Format: double */
            readonly temperature?: number | null;
            /** Format: double */
            readonly topP?: number | null;
        };
        readonly PauseAgentDto: {
            readonly until?: string | null;
        };
        readonly PinDto: {
            readonly message_id: string;
            readonly pinned_at: string;
            readonly rev: number;
            readonly room_id: string;
            readonly seq: number;
        };
        readonly PinsDto: {
            readonly pins: readonly components["schemas"]["ListedPinDto"][];
        };
        readonly PositionDto: {
            readonly room_id: string;
            readonly seq: number;
        };
        readonly PresetDto: {
            readonly contextMessages: number;
            readonly contextTokens: number | null;
            readonly createdAt: number | null;
            readonly keepReasoning: boolean;
            readonly maxTokens: number | null;
            readonly model: string | null;
            readonly name: string;
            /** @enum {string|null} */
            readonly reasoningEffort: "none" | "minimal" | "low" | "medium" | "high" | "xhigh" | null;
            readonly responseFormat: {
                readonly [key: string]: unknown;
            } | null;
            readonly seed: number | null;
            readonly stop: readonly string[] | null;
            readonly systemPrompt: string | null;
            /** Format: double */
            readonly temperature: number | null;
            /** Format: double */
            readonly topP: number | null;
            readonly updatedAt: number | null;
        };
        readonly PresetPageDto: {
            readonly hasMore: boolean;
            readonly limit: number;
            readonly offset: number;
            readonly presets: readonly components["schemas"]["PresetDto"][];
            readonly total: number;
        };
        readonly ProbeDto: {
            /** @enum {string} */
            readonly status: "ok" | "error";
        };
        readonly PromptTokensDetailsDto: {
            readonly cached_tokens: number;
        };
        readonly ReactionCountDto: {
            readonly count: number;
            readonly key: string;
            readonly users: readonly string[];
        };
        readonly ReactionDto: {
            readonly created_at: string;
            readonly key: string;
            readonly user_id: string;
        };
        readonly ReactionPageDto: {
            readonly next: string | null;
            readonly reactions: readonly components["schemas"]["ReactionDto"][];
        };
        readonly ReactionSetDto: {
            readonly count: number;
            readonly key: string;
            readonly message_id: string;
            readonly reactions: readonly components["schemas"]["ReactionCountDto"][];
            readonly rev: number;
            readonly room_id: string;
            readonly seq: number;
        };
        readonly ReceiptDto: {
            readonly delivered: boolean;
            readonly read: boolean;
            readonly user_id: string;
        };
        readonly ReceiptPageDto: {
            readonly next: string | null;
            readonly receipts: readonly components["schemas"]["ReceiptDto"][];
        };
        readonly RegenerateDto: {
            readonly stream?: boolean;
        };
        readonly ReplayDeadLettersDto: {
            readonly filter?: components["schemas"]["DeadLetterFilterDto"];
            readonly ids?: readonly string[];
        };
        readonly ReplayedDto: {
            readonly replayed: number;
        };
        readonly ResponseDto: {
            readonly background: boolean;
            readonly created_at: number;
            readonly error?: {
                readonly [key: string]: unknown;
            } | null;
            readonly id: string;
            readonly incomplete_details?: {
                readonly [key: string]: unknown;
            } | null;
            readonly instructions: {
                readonly [key: string]: unknown;
            } | null;
            readonly metadata: {
                readonly [key: string]: unknown;
            };
            readonly model: string;
            /** @enum {string} */
            readonly object: "response";
            readonly output: readonly Record<string, never>[];
            readonly parallel_tool_calls: boolean;
            readonly previous_response_id: string | null;
            /** @enum {string} */
            readonly status: "queued" | "in_progress" | "completed" | "incomplete" | "cancelled" | "failed";
            readonly store: boolean;
            readonly temperature: number | null;
            /** @enum {string} */
            readonly tool_choice: "auto";
            readonly tools: readonly Record<string, never>[];
            readonly top_p: number | null;
            /** @enum {string} */
            readonly truncation: "auto";
            readonly usage?: {
                readonly [key: string]: unknown;
            } | null;
        };
        readonly RetainRoomDto: {
            readonly legal_hold?: boolean;
            readonly retention_days?: number | null;
        };
        readonly RoomAgentsDto: {
            readonly agents: readonly components["schemas"]["AgentDto"][];
            readonly settings: components["schemas"]["RoomAgentSettingsDto"];
        };
        readonly RoomAgentSettingsDto: {
            /** @enum {string} */
            readonly control: "admins" | "members";
            readonly max_hops: number;
        };
        readonly RoomDto: {
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
            readonly room_id: string;
            readonly settings: components["schemas"]["RoomSettingsDto"];
            /** @enum {string} */
            readonly type: "dm" | "group" | "channel" | "ai";
            readonly unique_key: string | null;
            readonly updated_at: string;
        };
        readonly RoomMeDto: {
            readonly favourite: boolean;
            readonly hidden: boolean;
            readonly muted_until: string | null;
            /** @enum {string} */
            readonly notify: "all" | "mentions" | "none";
            readonly room_id: string;
            readonly unread_seq: number | null;
        };
        readonly RoomPageDto: {
            readonly has_more: boolean;
            readonly limit: number;
            readonly offset: number;
            readonly rooms: readonly components["schemas"]["ListedRoomDto"][];
            readonly total: number;
        };
        readonly RoomPresenceDto: {
            readonly has_more: boolean;
            readonly limit: number;
            readonly offset: number;
            readonly online: readonly string[];
            readonly total: number;
        };
        readonly RoomRetentionDto: {
            readonly legal_hold: boolean;
            readonly retention_days: number | null;
            readonly room_id: string;
        };
        readonly RoomSettingsDto: {
            /** @enum {string} */
            readonly pin: "members" | "admins";
            /** @enum {string} */
            readonly reactions: "distinct" | "unique" | "off";
        };
        readonly RotateKeyDto: {
            readonly overlap_seconds?: number;
        };
        readonly RotateWebhookDto: {
            readonly overlap_seconds?: number;
        };
        readonly RunCountsDto: {
            readonly queued: number;
            readonly streaming: number;
        };
        readonly SendChatMessageDto: {
            readonly client_message_id?: string;
            readonly content: string;
            readonly max_tokens?: number;
            readonly metadata?: {
                readonly [key: string]: unknown;
            };
            readonly model?: string;
            /** @enum {string} */
            readonly reasoning_effort?: "none" | "minimal" | "low" | "medium" | "high" | "xhigh";
            readonly response_format?: {
                readonly [key: string]: unknown;
            };
            readonly seed?: number;
            readonly stop?: readonly string[];
            readonly stream?: boolean;
            /** Format: double */
            readonly temperature?: number;
            /** Format: double */
            readonly top_p?: number;
        };
        readonly SendMessageDto: {
            readonly client_message_id?: string;
            readonly content: string;
            readonly meta?: {
                readonly [key: string]: unknown;
            };
        };
        readonly SetRoleDto: {
            /** @enum {string} */
            readonly role: "admin" | "member";
        };
        readonly SettingsDto: {
            /** @enum {string|null} */
            readonly agent_control?: "admins" | "members" | null;
            readonly allowed_origins?: readonly string[] | null;
            /** @enum {string|null} */
            readonly message_history?: "on" | "off" | null;
            /** @enum {string|null} */
            readonly openai_door?: "keys" | "open" | null;
            readonly presence_room_limit?: number | null;
            /** @enum {string|null} */
            readonly read_receipts?: "all" | "admins" | "off" | null;
            /** @enum {string|null} */
            readonly response_format?: "bare" | "envelope" | null;
            readonly retention_days?: number | null;
            readonly webhook?: components["schemas"]["WebhookSettingsDto"] | null;
            /** @enum {string|null} */
            readonly while_answering?: "queue" | "reject" | "interrupt" | null;
        };
        readonly SocketCountsDto: {
            readonly sse: number;
            readonly ws: number;
            readonly ws_chat: number;
        };
        readonly StatsDto: {
            readonly at: string;
            readonly counts: components["schemas"]["CountsDto"] | null;
            readonly figures: components["schemas"]["FiguresDto"];
            readonly id: number;
            readonly nodes: readonly components["schemas"]["NodeStatsDto"][] | null;
            readonly tenant_id: string | null;
            readonly tenants: readonly components["schemas"]["TenantFiguresDto"][] | null;
        };
        readonly StatsHistoryDto: {
            readonly points: readonly components["schemas"]["StatsPointDto"][];
            /** @enum {string} */
            readonly range: "1h" | "24h" | "7d";
            /** @enum {integer} */
            readonly step: 60 | 300 | 900 | 3600;
            readonly tenant_id: string | null;
        };
        readonly StatsPointDto: {
            readonly append_items: number | null;
            /** Format: double */
            readonly append_oldest_ms: number | null;
            readonly at: string;
            readonly connections: number;
            readonly deliveries: number;
            /** Format: double */
            readonly loop_delay_p99_ms: number | null;
            readonly messages: number;
            readonly online: number;
            readonly queue_bytes: number | null;
            readonly refused: number;
            readonly rss_bytes: number | null;
            /** Format: double */
            readonly send_p50_ms: number | null;
            /** Format: double */
            readonly send_p99_ms: number | null;
            readonly tokens: number;
        };
        readonly StoppedAnswersDto: {
            readonly message_ids: readonly string[];
        };
        readonly StoppedDto: {
            readonly answers: readonly components["schemas"]["ChatMessageDto"][];
        };
        readonly SubscribeTopicDto: {
            readonly topic: string;
        };
        readonly SuccessDto: {
            readonly success: boolean;
        };
        readonly TenantChangesDto: {
            readonly changes: readonly ({
                readonly rev: number;
                readonly room_id: string;
                /** @enum {string} */
                readonly type: "message" | "message.updated" | "message.deleted" | "member.joined" | "member.left" | "member.updated" | "room.updated" | "room.trimmed" | "room.deleted" | "reaction.updated" | "message.pinned" | "message.unpinned" | "room.reset";
            } & {
                readonly [key: string]: unknown;
            })[];
            readonly epoch: number;
            readonly has_more: boolean;
            readonly next: string;
        };
        readonly TenantCreatedDto: {
            readonly api_key: string;
            readonly created_at: string;
            readonly effective: components["schemas"]["EffectiveDto"];
            readonly name: string;
            readonly tenant_id: string;
            readonly webhook_secret?: string;
        };
        readonly TenantDto: {
            readonly created_at: string;
            readonly effective: components["schemas"]["EffectiveDto"];
            readonly limits: {
                readonly [key: string]: number | null;
            };
            readonly name: string;
            readonly settings: {
                readonly [key: string]: unknown;
            };
            /** @enum {string} */
            readonly status: "active" | "suspended" | "deleting";
            readonly tenant_id: string;
            readonly updated_at: string;
        };
        readonly TenantFiguresDto: {
            readonly connections: number;
            /** Format: double */
            readonly deliveries_per_second: number;
            /** Format: double */
            readonly messages_per_second: number;
            readonly online: number;
            /** Format: double */
            readonly refused_per_second: number;
            /** Format: double */
            readonly send_p99_ms: number | null;
            readonly tenant_id: string;
            /** Format: double */
            readonly tokens_per_second: number;
        };
        readonly TenantPageDto: {
            readonly has_more: boolean;
            readonly limit: number;
            readonly offset: number;
            readonly tenants: readonly components["schemas"]["TenantDto"][];
            readonly total: number;
        };
        readonly TenantUpdatedDto: {
            readonly created_at: string;
            readonly effective: components["schemas"]["EffectiveDto"];
            readonly limits: {
                readonly [key: string]: number | null;
            };
            readonly name: string;
            readonly settings: {
                readonly [key: string]: unknown;
            };
            /** @enum {string} */
            readonly status: "active" | "suspended" | "deleting";
            readonly tenant_id: string;
            readonly updated_at: string;
            readonly webhook_secret?: string;
        };
        readonly TenantUsageDto: {
            readonly approximate: readonly string[];
            readonly complete_to: string | null;
            readonly from: string;
            /** @enum {string} */
            readonly group_by: "channel" | "user" | "chat" | "preset" | "day";
            readonly items: readonly components["schemas"]["TenantUsageItemDto"][];
            readonly next: string | null;
            readonly tenant_id: string;
            readonly to: string;
        };
        readonly TenantUsageItemDto: {
            readonly channel?: string | null;
            readonly completion_tokens: number;
            /** Format: double */
            readonly cost: number;
            readonly day?: string;
            readonly deliveries?: number;
            readonly estimated_tokens: number;
            readonly messages?: number;
            readonly peak_connections?: number;
            readonly preset?: string | null;
            readonly prompt_tokens: number;
            readonly room_id?: string;
            readonly runs: number;
            readonly storage_bytes?: number;
            readonly user_id?: string;
            readonly webhook_posts?: number;
        };
        readonly TicketDto: {
            readonly expires_in: number;
            readonly token: string;
        };
        readonly TokenCreatedDto: {
            readonly expires_at: string;
            readonly expires_in: number;
            readonly token: string;
            readonly user_id: string;
        };
        readonly TokenUsageDto: {
            readonly cachedPromptTokens?: number;
            readonly completionTokens: number;
            readonly estimated?: boolean;
            readonly promptTokens: number;
            readonly totalTokens: number;
        };
        readonly TopicSubscriptionDto: {
            readonly created_at: string;
            readonly id: string;
            readonly subscriber_id: string;
            readonly topic: string;
        };
        readonly TopicSubscriptionPageDto: {
            readonly has_more: boolean;
            readonly limit: number;
            readonly offset: number;
            readonly subscriptions: readonly components["schemas"]["TopicSubscriptionDto"][];
            readonly total: number;
        };
        readonly TraceBatchDto: {
            readonly messages: number;
            readonly took_ms: number;
            readonly waited_ms: number;
        };
        readonly TraceCommitDto: {
            readonly at: string;
            readonly batch: components["schemas"]["TraceBatchDto"] | null;
            readonly rev: number | null;
            readonly seq: number;
        };
        readonly TraceConnectionDto: {
            readonly connection_id: string;
            readonly node_id: string;
            readonly opened_at: string;
            readonly redelivered: number | null;
            readonly sent: boolean;
        };
        readonly TraceDto: {
            readonly accepted_at: string | null;
            readonly committed: components["schemas"]["TraceCommitDto"];
            readonly message_id: string;
            readonly next: string | null;
            readonly recipients: readonly components["schemas"]["TraceRecipientDto"][];
            readonly room_id: string;
            readonly sender_id: string;
            readonly unknown: readonly string[];
            readonly webhooks: readonly components["schemas"]["TraceWebhookDto"][];
        };
        readonly TraceLetterDto: {
            readonly attempts: number;
            readonly error: string;
            readonly id: string;
            readonly last_attempt_at: string;
        };
        readonly TraceMarkDto: {
            readonly at: string | null;
            readonly done: boolean;
        };
        readonly TraceRecipientDto: {
            readonly acked: components["schemas"]["TraceMarkDto"];
            readonly connections: readonly components["schemas"]["TraceConnectionDto"][];
            readonly dead_letter: components["schemas"]["TraceLetterDto"] | null;
            readonly is_sender: boolean;
            readonly read: components["schemas"]["TraceMarkDto"];
            readonly user_id: string;
            readonly webhook_ids: readonly string[];
        };
        readonly TraceWebhookDto: {
            readonly attempts: number;
            readonly created_at: string;
            readonly error: string | null;
            readonly last_attempt_at: string | null;
            readonly latency_ms: number | null;
            /** @enum {string} */
            readonly state: "pending" | "delivered" | "dead" | "failed";
            readonly status: number | null;
            readonly type: string;
            readonly webhook_id: string;
        };
        readonly TurnDto: {
            readonly answer: components["schemas"]["ChatMessageDto"];
            readonly message: components["schemas"]["ChatMessageDto"];
        };
        readonly UiChatDto: {
            readonly id: string;
            readonly messageId?: string;
            readonly messages: readonly components["schemas"]["UiMessageDto"][];
            readonly preset?: string;
            /** @enum {string} */
            readonly trigger?: "submit-message" | "regenerate-message";
        };
        readonly UiMessageDto: {
            readonly id: string;
            readonly metadata?: {
                readonly [key: string]: unknown;
            };
            readonly parts: readonly components["schemas"]["UiPartDto"][];
            /** @enum {string} */
            readonly role: "user" | "assistant" | "system";
        };
        readonly UiMessagePageDto: {
            readonly has_more: boolean;
            readonly limit: number;
            readonly messages: readonly components["schemas"]["UiMessageDto"][];
            readonly offset: number;
            readonly total: number;
        };
        readonly UiPartDto: {
            readonly filename?: string;
            readonly state?: string;
            readonly text?: string;
            readonly type: string;
            readonly url?: string;
        };
        readonly UiStoppedDto: {
            readonly answers: readonly components["schemas"]["UiMessageDto"][];
        };
        readonly UpdateChatDto: {
            readonly metadata?: {
                readonly [key: string]: unknown;
            };
            readonly title?: string;
        };
        readonly UpdateMeDto: {
            readonly favourite?: boolean;
            readonly hidden?: boolean;
            readonly muted_until?: string | null;
            /** @enum {string} */
            readonly notify?: "all" | "mentions" | "none";
        };
        readonly UpdateRoomDto: {
            readonly metadata?: {
                readonly [key: string]: unknown;
            };
            readonly name?: string;
            /** @enum {string} */
            readonly posting?: "members" | "admins";
            readonly settings?: components["schemas"]["UpdateRoomSettingsDto"];
        };
        readonly UpdateRoomSettingsDto: {
            /** @enum {string} */
            readonly pin?: "members" | "admins";
            /** @enum {string} */
            readonly reactions?: "distinct" | "unique" | "off";
        };
        readonly UpdateTenantDto: {
            readonly limits?: components["schemas"]["LimitsDto"];
            readonly name?: string;
            readonly settings?: components["schemas"]["SettingsDto"];
            /** @enum {string} */
            readonly status?: "active" | "suspended";
        };
        readonly UsageDto: {
            readonly cached_prompt_tokens?: number;
            readonly completion_tokens: number;
            readonly estimated?: boolean;
            readonly prompt_tokens: number;
            readonly total_tokens: number;
        };
        readonly UserHoldDto: {
            readonly legal_hold: boolean;
            readonly user_id: string;
        };
        readonly VerifiedAuditDto: {
            readonly checked_to: number;
            readonly fault: components["schemas"]["AuditFaultDto"] | null;
            readonly head: components["schemas"]["AuditHeadDto"] | null;
            readonly holds: boolean;
            readonly next: number | null;
            readonly rows: number;
        };
        readonly WebhookDeliveryDto: {
            readonly answer: string | null;
            readonly attempts: number;
            readonly created_at: string;
            readonly error: string | null;
            readonly last_attempt_at: string | null;
            readonly latency_ms: number | null;
            /** @enum {string} */
            readonly state: "pending" | "delivered" | "dead" | "failed";
            readonly status: number | null;
            readonly type: string;
            readonly webhook_id: string;
        };
        readonly WebhookDeliveryPageDto: {
            readonly deliveries: readonly components["schemas"]["WebhookDeliveryDto"][];
            readonly has_more: boolean;
            readonly limit: number;
            readonly offset: number;
            readonly total: number;
        };
        readonly WebhookDto: {
            readonly disabled_at: string | null;
            readonly disabled_reason: string | null;
            readonly events: readonly string[];
            readonly failing_since: string | null;
            /** @enum {string} */
            readonly status: "enabled" | "disabled";
            readonly url: string;
        };
        readonly WebhookRotatedDto: {
            readonly webhook_secret: string;
        };
        readonly WebhookSettingsDto: {
            readonly events?: readonly ("message.offline" | "notification.offline" | "message.created" | "reaction.updated" | "message.pinned" | "room.created" | "member.joined" | "member.left" | "budget.warning")[];
            readonly url: string;
        };
        readonly WhoamiDto: {
            /** @enum {string} */
            readonly credential: "master" | "key" | "token";
            readonly expires_at: string | null;
            readonly key_id: string | null;
            readonly limits: {
                readonly [key: string]: {
                    readonly left: number | null;
                    readonly limit: number | null;
                };
            };
            readonly scopes: readonly string[];
            readonly tenant_id: string | null;
            readonly user_id: string | null;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
