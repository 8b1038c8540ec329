// Generated from docs/openapi.json by "npm run docs". Do not edit.

export interface paths {
    "/acks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Acknowledge messages: I have everything up to and including seq. Only moves forward. */
        post: operations["Delivery_ack"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What administrators did: with the master key, with admin keys, and as admins of rooms over others. The newest first. */
        get: operations["Audit_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/audit/verify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Prove that no row of the audit log was altered, removed or put in since it was written. */
        get: operations["Audit_verify"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/connections": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the open sockets of a tenant, or of one user of it, oldest first. */
        get: operations["AdminConnections_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/connections/{connection_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Close a socket. Its client comes back at once, unless the code tells it not to. */
        delete: operations["AdminConnections_close"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/dead-letters": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List what could not be delivered: messages that were never acknowledged, notifications, webhooks. */
        get: operations["DeadLetters_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/dead-letters/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Drop a dead letter. The message itself stays. */
        delete: operations["DeadLetters_drop"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/dead-letters/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Try dead letters once more, by id or by filter. They stay listed until they are delivered or dropped. */
        post: operations["DeadLetters_replay"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Tell what is to be done, by kind, and list the jobs that were given up, with their errors, or those that wait or run. */
        get: operations["AdminJobs_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/jobs/{job_id}/run": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Run a job now: one that waits for its time, or one that was given up, with all its attempts. */
        post: operations["AdminJobs_run"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/rooms": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the rooms of a tenant, the newest first, or find them by the beginning of their names. */
        get: operations["AdminRooms_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/rooms/{room_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Look at a room: its members, how far each of them is, and who is connected. */
        get: operations["AdminRooms_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Say how long a room keeps its messages, or hold it. */
        patch: operations["Retention_room"];
        trace?: never;
    };
    "/admin/stats": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How things are now: connections, rates, times of sends, what waits. */
        get: operations["Stats_now"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/stats/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How things were, from an hour to seven days back. */
        get: operations["Stats_history"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/stats/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The same each second, as server-sent events. */
        get: operations["Stats_stream"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/tenants": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List all tenants, oldest first. */
        get: operations["AdminTenants_list"];
        put?: never;
        /** Create a tenant. The answer holds its first API key (scopes chat and admin), once. */
        post: operations["AdminTenants_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/tenants/{tenant_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get one tenant. An admin-scoped key sees its own. */
        get: operations["AdminTenants_get"];
        put?: never;
        post?: never;
        /** Delete a tenant and all that it has. It cannot be taken back. */
        delete: operations["Deletion_begin"];
        options?: never;
        head?: never;
        /** Change a tenant: what is sent is merged. Limits and settings are in force within 2 s, without a restart. */
        patch: operations["AdminTenants_update"];
        trace?: never;
    };
    "/admin/tenants/{tenant_id}/deletion": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Tell how far the deletion of a tenant is, and afterwards what it was. */
        get: operations["Deletion_find"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/tenants/{tenant_id}/erasures/{erasure_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How far the erase of a user is. */
        get: operations["Erase_erasure"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/tenants/{tenant_id}/exports": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List a tenant's exports, newest first; those of its users' data are not among them. */
        get: operations["TenantExports_list"];
        put?: never;
        /** Export a tenant: a file with all that it has, but for secrets, as it is at one moment. */
        post: operations["TenantExports_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/tenants/{tenant_id}/exports/{export_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get an export: how far it is. */
        get: operations["TenantExports_show"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/tenants/{tenant_id}/exports/{export_id}/file": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Download the file of an export. */
        get: operations["TenantExports_file"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/tenants/{tenant_id}/exports/{export_id}/link": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Make a link to the file of an export, good for one download within 60 seconds. */
        post: operations["TenantExports_link"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/tenants/{tenant_id}/imports": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the imports of a tenant, newest first. */
        get: operations["Imports_list"];
        put?: never;
        /** Begin an import: then send the file in parts, have it validated, and start it. */
        post: operations["Imports_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/tenants/{tenant_id}/imports/{import_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get one import: how far it is, what is wrong with the file, what it has made. */
        get: operations["Imports_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/tenants/{tenant_id}/imports/{import_id}/file": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Send a part of the file, at most 64 MB; the same number again replaces it. */
        put: operations["Imports_upload"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/tenants/{tenant_id}/imports/{import_id}/start": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Take in what was validated, in the background, room by room; a room is seen when it is whole. */
        post: operations["Imports_start"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/tenants/{tenant_id}/imports/{import_id}/validate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Look at the whole file, in the background: nothing is written but the faults, the first 1,000 of them. */
        post: operations["Imports_validate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/tenants/{tenant_id}/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List a tenant's keys, oldest first, revoked and expired ones included. */
        get: operations["AdminKeys_list"];
        put?: never;
        /** Create a key. The key itself is in this answer only. */
        post: operations["AdminKeys_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/tenants/{tenant_id}/keys/{key_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Revoke a key: its calls are refused within 2 s, tokens and tickets that it minted too. */
        delete: operations["AdminKeys_revoke"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/tenants/{tenant_id}/keys/{key_id}/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Replace a key by a new one; the old one works for the overlap, then ends. */
        post: operations["AdminKeys_rotate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/tenants/{tenant_id}/users/{user_id}/erase": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Erase a user: everything that they wrote and that names them. */
        post: operations["Erase_erase"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/tenants/{tenant_id}/users/{user_id}/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Export what a tenant has of one user: a file for that person. */
        post: operations["UserExports_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/tenants/{tenant_id}/users/{user_id}/export/{user_export_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get an export of a user's data: how far it is. */
        get: operations["UserExports_show"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/tenants/{tenant_id}/users/{user_id}/export/{user_export_id}/file": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Download the file of an export of a user's data. */
        get: operations["UserExports_file"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/tenants/{tenant_id}/users/{user_id}/export/{user_export_id}/link": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Make a link to the file of an export of a user's data, good for one download within 60 seconds. */
        post: operations["UserExports_link"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/tenants/{tenant_id}/webhook": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Where a tenant's webhook leads, and whether it works. It is set with PATCH /admin/tenants/{tenant_id}. */
        get: operations["Webhooks_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/tenants/{tenant_id}/webhook/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The log of deliveries, newest first, each with its last attempt. */
        get: operations["Webhooks_deliveries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/tenants/{tenant_id}/webhook/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Replace the secret by a new one, which is in this answer only; the old one signs too for the overlap. */
        post: operations["Webhooks_rotate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/tenants/{tenant_id}/webhook/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Post a `webhook.test` now, and see what the target answers. It is tried once, and disabled webhooks are tried
         *     too.
         */
        post: operations["Webhooks_test"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/usage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What a tenant used: messages, answers of models and their tokens, storage, by day, user, room, model channel or preset. */
        get: operations["Usage_usage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the users of a tenant in the order of their ids, or find them by the beginning of these. */
        get: operations["AdminUsers_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/users/{user_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Look at a user: their rooms, and how far they are in each. */
        get: operations["AdminUsers_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Hold what a user has written, or end that. */
        patch: operations["Retention_user"];
        trace?: never;
    };
    "/api/channels": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the tenant's own channels, in the order in which they are tried. */
        get: operations["Channels_list"];
        put?: never;
        /** Add a way to a model. The tenant's own are tried before the server's; at most 50. */
        post: operations["Channels_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/channels/{channelId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One channel with its latest faults; its key is never shown. */
        get: operations["Channels_get"];
        put?: never;
        post?: never;
        /** Remove a channel. */
        delete: operations["Channels_delete"];
        options?: never;
        head?: never;
        /** Change a channel; what is not sent stays. Answers that are being written go on as they began. */
        patch: operations["Channels_change"];
        trace?: never;
    };
    "/api/channels/{channelId}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Ask a channel for one token, and tell what came. */
        post: operations["Channels_test"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/channels/environment": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The channel of the environment, with its latest faults: what providers say of them may quote any tenant's users. */
        get: operations["Channels_environment"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/chat": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Say something and get the model's answer. It is written and stored even if you leave. */
        post: operations["Chat_ask"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/chat/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Say something and get the model's answer as server-sent events. */
        post: operations["Chat_askForStream"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/conversations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List conversations, newest activity first. */
        get: operations["Conversations_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/conversations/{conversation_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get a conversation with its newest messages, in order of time. */
        get: operations["Conversations_get"];
        put?: never;
        post?: never;
        /** Delete a conversation, with its messages; an answer that is being written ends. */
        delete: operations["Conversations_delete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/conversations/{conversation_id}/clear": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Make the model forget what was said so far; the history stays readable. */
        post: operations["Conversations_clear"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/conversations/{conversation_id}/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Join an answer again: what follows `Last-Event-ID`, else the one that is being written from its beginning, as
         *     server-sent events.
         */
        get: operations["Conversations_stream"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/presets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the presets, `default` first. A key of any scope may; a user token sees no system prompts. */
        get: operations["Presets_list"];
        put?: never;
        /** Add a preset: how an assistant is asked to behave. At most 100, beside `default`. */
        post: operations["Presets_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/presets/{preset}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One preset. `default` always exists. A key of any scope may; a user token sees no system prompt. */
        get: operations["Presets_get"];
        put?: never;
        post?: never;
        /** Remove a preset; `default` goes back to what comes with the server. */
        delete: operations["Presets_delete"];
        options?: never;
        head?: never;
        /** Change a preset, for answers that begin from now on; what is not sent stays. */
        patch: operations["Presets_change"];
        trace?: never;
    };
    "/api/ui/chat": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Say something and get the model's answer as a UI message stream of the Vercel AI SDK (`useChat`, `DefaultChatTransport`). */
        post: operations["UiChat_answer"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ui/chat/{chat_id}/stop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Stop the answers that are being written or wait; their text so far is kept. */
        post: operations["UiChat_stop"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ui/chat/{chat_id}/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Join the answer that is being written: its text so far, then what comes. */
        get: operations["UiChat_stream"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chats": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Create a chat between a user and the assistant of a preset. */
        post: operations["Chats_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chats/{chat_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get a chat. */
        get: operations["Chats_get"];
        put?: never;
        post?: never;
        /** Delete a chat, with its messages; an answer that is being written ends. */
        delete: operations["Chats_delete"];
        options?: never;
        head?: never;
        /** Change the title or the metadata (merged). */
        patch: operations["Chats_update"];
        trace?: never;
    };
    "/api/v1/chats/{chat_id}/messages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the messages of a chat, in order of seq. An answer is listed once it has ended. */
        get: operations["Chats_messages"];
        put?: never;
        /**
         * Say something and get the model's answer: when it has ended, or as server-sent events with `stream` or `Accept:
         *     text/event-stream`. The answer is written and stored even if you leave.
         */
        post: operations["Turns_send"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chats/{chat_id}/regenerate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Write the last answer anew; the old one becomes `superseded`. Answered like a message. */
        post: operations["Turns_regenerate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chats/{chat_id}/stop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Stop the answers that are being written or wait; their text so far is kept, as `cancelled`. */
        post: operations["Turns_stop"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chats/{chat_id}/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Join an answer again: what follows `Last-Event-ID`, else the one that is being written from its beginning, as
         *     server-sent events.
         */
        get: operations["Turns_stream"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chats/user/{user_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List a user's chats, by creation, the newest first. */
        get: operations["Chats_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/can-i": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Ask whether this credential may make a call, and which rule says so. Nothing is done. */
        post: operations["Whoami_canI"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/changes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Follow everything that changes in all rooms of the tenant, chats with models included. For back ends. */
        get: operations["Changes_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/exports/file": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Download the file that a link leads to. The ticket is the credential: it is good once, and for 60 seconds. */
        get: operations["ExportFile_file"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Whether the server can do its work: `db_writable` comes from a real write, and is false while the disk of the
         *     database is full. 503 with status "error" when not.
         */
        get: operations["Health_report"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health/live": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the process lives, for orchestrators: restart it when this fails. */
        get: operations["Health_live"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Whether requests should be sent here, for load balancers: 503 while starting, stopping or without database. 200 while
         *     only the disk is full: what is there can be read.
         */
        get: operations["Health_ready"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Metrics as Prometheus text. With METRICS_PUBLIC=false the master key is needed. */
        get: operations["Health_metricsText"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/notifications": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List my notifications, newest first. */
        get: operations["Notifications_inbox"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/notifications/{notification_id}/read": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Mark one of my notifications read; implies that it is delivered. */
        post: operations["Notifications_read"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/notify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send a notification to users, the members of a room, the subscribers of its topic: each of them once. API keys
         *     only.
         */
        post: operations["Notifications_notify"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/reads": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Mark messages read, up to and including seq; implies the acknowledgement. */
        post: operations["Delivery_read"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/rooms": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List my rooms, newest activity first, with my position, unread count and the newest message of each. */
        get: operations["Rooms_list"];
        put?: never;
        /** Create a room. The caller of a group or channel becomes its admin; a dm that exists answers 409 with its id. */
        post: operations["Rooms_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/rooms/{room_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get a room: one of mine, or any channel. */
        get: operations["Rooms_get"];
        put?: never;
        post?: never;
        /** Delete a room, for everybody. Room admins; a dm cannot be deleted. */
        delete: operations["Rooms_delete"];
        options?: never;
        head?: never;
        /** Change name, metadata (merged), posting or settings (merged). Room admins; both members of a dm. */
        patch: operations["Rooms_update"];
        trace?: never;
    };
    "/rooms/{room_id}/agents": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List a room's agents, and how they behave there. */
        get: operations["Agents_list"];
        put?: never;
        /** Add an agent: a member that answers by a preset. Room admins, or members where `control` says so. */
        post: operations["Agents_add"];
        delete?: never;
        options?: never;
        head?: never;
        /** Say how agents behave in a room. Room admins. */
        patch: operations["Agents_settle"];
        trace?: never;
    };
    "/rooms/{room_id}/agents/{agent_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Remove an agent. What it is writing ends without a message. */
        delete: operations["Agents_remove"];
        options?: never;
        head?: never;
        /** Change what an agent answers, or its name. */
        patch: operations["Agents_change"];
        trace?: never;
    };
    "/rooms/{room_id}/agents/{agent_id}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Take over: the agent is silent until a time, or until it is resumed. What it is writing ends, with its text kept. */
        post: operations["Agents_pause"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/rooms/{room_id}/agents/{agent_id}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Let a paused agent speak again; one that is not paused stays as it is. */
        post: operations["Agents_resume"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/rooms/{room_id}/agents/{agent_id}/stop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Stop what an agent is writing, and what waits; the text so far is kept. */
        post: operations["Agents_stop"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/rooms/{room_id}/changes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List what changed in the room since a revision: messages, edits, deletes, membership and settings. */
        get: operations["Messages_changes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/rooms/{room_id}/join": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Join a channel; joining again changes nothing. */
        post: operations["Members_join"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/rooms/{room_id}/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Set what I want of a room: muted, hidden, favourite, and which messages I am notified of. */
        patch: operations["Me_update"];
        trace?: never;
    };
    "/rooms/{room_id}/members": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List a room's members in the order of joining. */
        get: operations["Members_list"];
        put?: never;
        /** Add members; answers with those that were named. Room admins; a dm's members are fixed. */
        post: operations["Members_add"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/rooms/{room_id}/members/{user_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Remove a member, or leave with my own id. The last admin's leaving promotes the oldest member. */
        delete: operations["Members_remove"];
        options?: never;
        head?: never;
        /** Change a member's role. Room admins; a room keeps at least one admin. */
        patch: operations["Members_setRole"];
        trace?: never;
    };
    "/rooms/{room_id}/messages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List messages, ascending by seq, deleted ones as tombstones. `order=desc` gives the newest page. The header
         *     `X-First-Seq` names the oldest message that the room keeps; an empty page means that there is nothing further.
         */
        get: operations["Messages_list"];
        put?: never;
        /** Send a message. Answered after its durable commit; a retry with the same id or key gets the first answer. */
        post: operations["Messages_send"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/rooms/{room_id}/messages/{message_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get one message. */
        get: operations["Messages_get"];
        put?: never;
        post?: never;
        /** Delete a message: its sender or a room admin. The seq stays, the content is erased. */
        delete: operations["Messages_delete"];
        options?: never;
        head?: never;
        /** Edit a message: its sender, while a member. */
        patch: operations["Messages_edit"];
        trace?: never;
    };
    "/rooms/{room_id}/messages/{message_id}/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List what a message said before it was edited. */
        get: operations["Seen_history"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/rooms/{room_id}/messages/{message_id}/reactions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List who has given which reaction to a message: by key, each in the order of giving. */
        get: operations["States_listReactions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/rooms/{room_id}/messages/{message_id}/reactions/{key}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Give a message a reaction. 201 the first time, 200 again, which changes nothing. */
        put: operations["States_react"];
        post?: never;
        /** Take a reaction back: mine. 204 whether I had given it or not. */
        delete: operations["States_unreact"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/rooms/{room_id}/messages/{message_id}/receipts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List who has a message, and who has read it. */
        get: operations["Seen_receipts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/rooms/{room_id}/messages/{message_id}/trace": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Tell what became of a message: when it was taken and committed, and who of the room was sent it, has acknowledged and read
         *     it.
         */
        get: operations["Trace_trace"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/rooms/{room_id}/pins": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List what is pinned in a room, the newest first, with the messages as they are now. */
        get: operations["States_listPins"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/rooms/{room_id}/pins/{message_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Pin a message in its room. 201 the first time, 200 again, which changes nothing. */
        put: operations["States_pin"];
        post?: never;
        /** Take a pinned message off. 204 whether it was pinned or not. */
        delete: operations["States_unpin"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/rooms/{room_id}/presence": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List who of a room is online, in rooms of any size. Who may list the members may list this. A user counts as
         *     online until 5 seconds after their last connection closed.
         */
        get: operations["Presence_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/rooms/{room_id}/unread": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Mark a room unread from a message on. */
        post: operations["Me_unread"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/subscriptions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List my subscriptions, oldest first. */
        get: operations["Subscriptions_list"];
        put?: never;
        /** Subscribe to a topic: I get what is sent to its subscribers from now on. A repeat answers 200 with the first one. */
        post: operations["Subscriptions_subscribe"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/subscriptions/{subscription_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** End one of my subscriptions. */
        delete: operations["Subscriptions_unsubscribe"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Mint a user token: with it a browser or app acts as that user and nobody else. API keys only. */
        post: operations["Tokens_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/chat/completions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Ask a model as clients of OpenAI's chat completions do. */
        post: operations["OpenAi_complete"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/models": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The models that can be asked: the tenant's presets. */
        get: operations["OpenAi_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/models/{preset}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One of the models. */
        get: operations["OpenAi_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/responses": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Ask a model as clients of OpenAI's responses do. */
        post: operations["Responses_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/responses/{response_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a response, or join it. */
        get: operations["Responses_retrieve"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/responses/{response_id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Stop a response; its text so far is kept. */
        post: operations["Responses_cancel"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/whoami": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Tell what this credential is: tenant, user, scopes, when it ends, and what is left of the limits. */
        get: operations["Whoami_whoami"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ws/token": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Mint a ticket: single use, 60 seconds, opens one socket as the caller. */
        post: operations["Tokens_ticket"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export interface components {
    schemas: {
        AddAgentDto: {
            name?: string;
            preset: string;
            /** @enum {string} */
            respond: "mention" | "always" | "never";
        };
        AddMembersDto: {
            /** @enum {string} */
            role?: "admin" | "member";
            user_ids: string[];
        };
        AdminMemberDto: {
            joined_at: string;
            joined_seq: number;
            last_acked_seq: number;
            last_read_seq: number;
            last_seen_at: string | null;
            moved_at: string | null;
            /** @enum {string} */
            role: "admin" | "member" | "agent";
            /** @enum {string} */
            status: "online" | "offline";
            user_id: string;
        };
        AdminMembershipDto: {
            joined_at: string;
            joined_seq: number;
            last_acked_seq: number;
            last_read_seq: number;
            /** @enum {string} */
            role: "admin" | "member" | "agent";
            room: components["schemas"]["AdminRoomDto"];
        };
        AdminRoomDetailDto: {
            created_at: string;
            deleted_at: string | null;
            first_seq: number;
            last_activity_at: string;
            last_rev: number;
            last_seq: number;
            legal_hold: boolean;
            live_connections: number;
            member_count: number;
            members: components["schemas"]["AdminMemberDto"][];
            messages?: components["schemas"]["MessageDto"][];
            metadata: {
                [key: string]: unknown;
            } | null;
            name: string | null;
            next: string | null;
            /** @enum {string} */
            posting: "members" | "admins";
            retention_days: number | null;
            room_id: string;
            /** @enum {string} */
            type: "dm" | "group" | "channel" | "ai";
            updated_at: string;
        };
        AdminRoomDto: {
            created_at: string;
            deleted_at: string | null;
            first_seq: number;
            last_activity_at: string;
            last_rev: number;
            last_seq: number;
            legal_hold: boolean;
            member_count: number;
            name: string | null;
            /** @enum {string} */
            posting: "members" | "admins";
            retention_days: number | null;
            room_id: string;
            /** @enum {string} */
            type: "dm" | "group" | "channel" | "ai";
            updated_at: string;
        };
        AdminRoomsDto: {
            items: components["schemas"]["AdminRoomDto"][];
            next: string | null;
        };
        AdminUserDetailDto: {
            created_at: string;
            last_seen_at: string | null;
            legal_hold: boolean;
            memberships: components["schemas"]["AdminMembershipDto"][];
            messages?: components["schemas"]["MessageDto"][];
            next: string | null;
            /** @enum {string} */
            status: "online" | "offline";
            user_id: string;
        };
        AdminUserDto: {
            created_at: string;
            last_seen_at: string | null;
            legal_hold: boolean;
            /** @enum {string} */
            status: "online" | "offline";
            user_id: string;
        };
        AdminUsersDto: {
            items: components["schemas"]["AdminUserDto"][];
            next: string | null;
        };
        AgentDto: {
            agent_id: string;
            created_at: string;
            name: string | null;
            paused: boolean;
            paused_until: string | null;
            preset: string;
            /** @enum {string} */
            respond: "mention" | "always" | "never";
        };
        AgentSettingsDto: {
            /** @enum {string} */
            control?: "admins" | "members";
            max_hops?: number;
        };
        AnswerDto: {
            conversationId: string;
            finishReason: string | null;
            response: string;
            usage: components["schemas"]["TokenUsageDto"] | null;
        };
        AppendQueueDto: {
            bytes: number;
            items: number;
            /** Format: double */
            oldest_ms: number;
        };
        AskDto: {
            clientMessageId?: string;
            conversationId?: string;
            groupId?: string;
            maxTokens?: number;
            message: string;
            model?: string;
            preset?: string;
            /** @enum {string} */
            reasoningEffort?: "none" | "minimal" | "low" | "medium" | "high" | "xhigh";
            responseFormat?: {
                [key: string]: unknown;
            };
            seed?: number;
            stop?: string[];
            /** Format: double */
            temperature?: number;
            /** Format: double */
            topP?: number;
            userId: string;
        };
        AuditActorDto: {
            key_id: string | null;
            key_name: string | null;
            key_prefix: string | null;
            /** @enum {string} */
            kind: "master" | "key" | "user";
            user_id: string | null;
        };
        AuditFaultDto: {
            n: number;
            /** @enum {string} */
            why: "missing" | "altered" | "inserted" | "head" | "unknown_key";
        };
        AuditHeadDto: {
            mac: string;
            n: number;
        };
        AuditItemDto: {
            action: string;
            actor: components["schemas"]["AuditActorDto"];
            address: string | null;
            after: {
                [key: string]: unknown;
            } | null;
            at: string;
            before: {
                [key: string]: unknown;
            } | null;
            details: {
                [key: string]: unknown;
            } | null;
            n: number;
            request_id: string;
            target: components["schemas"]["AuditTargetDto"] | null;
        };
        AuditPageDto: {
            items: components["schemas"]["AuditItemDto"][];
            next: string | null;
        };
        AuditTargetDto: {
            id: string | null;
            kind: string;
            user_id: string | null;
        };
        CanIAnswerDto: {
            allowed: boolean;
            /** @enum {string|null} */
            depends_on: "membership" | "ownership" | null;
            route: string | null;
            rule: string | null;
            why: string | null;
        };
        CanIDto: {
            /** @enum {string} */
            method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
            path: string;
        };
        ChangeAgentDto: {
            name?: string | null;
            /** @enum {string} */
            respond?: "mention" | "always" | "never";
        };
        ChangesDto: {
            changes: ({
                rev: number;
                room_id: string;
                /** @enum {string} */
                type: "message" | "message.updated" | "message.deleted" | "member.joined" | "member.left" | "member.updated" | "room.updated" | "room.trimmed" | "room.deleted" | "reaction.updated" | "message.pinned" | "message.unpinned";
            } & {
                [key: string]: unknown;
            })[];
            epoch: number;
            first_rev: number;
            has_more: boolean;
            last_rev: number;
            reset?: boolean;
        };
        ChannelDto: {
            /** @enum {string} */
            authHeader: "authorization" | "api-key" | "x-api-key" | "x-goog-api-key";
            baseUrl: string;
            contextTokens: number | null;
            createdAt: number;
            enabled: boolean;
            hasApiKey: boolean;
            id: string;
            lastFaults: components["schemas"]["ChannelFaultDto"][];
            maxTokens: number | null;
            model: string;
            modelPrices: {
                [key: string]: components["schemas"]["ChannelPricesDto"];
            };
            models: {
                [key: string]: string;
            };
            name: string;
            params: components["schemas"]["ChannelParamsInForceDto"];
            prices: components["schemas"]["ChannelPricesDto"] | null;
            priority: number;
            provider: string;
            /** Format: double */
            temperature: number | null;
            timeoutMs: number;
            timeouts: components["schemas"]["ChannelTimeoutsInForceDto"];
            updatedAt: number;
            vision: boolean;
            weight: number;
        };
        ChannelFaultDto: {
            at: number;
            code: string | null;
            fault: string;
            hint: string;
            model: string;
            providerMessage: string | null;
            /** @enum {string} */
            reason: "auth" | "money" | "pace" | "model" | "overflow" | "content" | "request" | "timeout" | "reasoning" | "empty" | "provider";
            status: number | null;
            type: string | null;
        };
        ChannelPageDto: {
            channels: components["schemas"]["ChannelDto"][];
            hasMore: boolean;
            limit: number;
            offset: number;
            total: number;
        };
        ChannelParamsDto: {
            extra?: {
                [key: string]: unknown;
            };
            /** @enum {string} */
            maxTokensField?: "max_tokens" | "max_completion_tokens" | "auto";
            /** @enum {unknown} */
            streamOptions?: true | false | "auto";
            /** @enum {string} */
            systemRole?: "system" | "developer" | "user";
        };
        ChannelParamsInForceDto: {
            extra: {
                [key: string]: unknown;
            };
            /** @enum {string} */
            maxTokensField: "max_tokens" | "max_completion_tokens" | "auto";
            streamOptions: boolean | "auto";
            /** @enum {string} */
            systemRole: "system" | "developer" | "user";
        };
        ChannelPricesDto: {
            /** Format: double */
            cached?: number;
            /** Format: double */
            input: number;
            /** Format: double */
            output: number;
        };
        ChannelTestDto: {
            error: components["schemas"]["ChannelFaultDto"] | null;
            latencyMs: number;
            model: string;
            ok: boolean;
            usage: components["schemas"]["ChannelTestUsageDto"] | null;
        };
        ChannelTestUsageDto: {
            completionTokens: number;
            estimated: boolean;
            promptTokens: number;
            totalTokens: number;
        };
        ChannelTimeoutsDto: {
            firstMs?: number | null;
            idleMs?: number | null;
            totalMs?: number | null;
        };
        ChannelTimeoutsInForceDto: {
            firstMs: number;
            idleMs: number;
            totalMs: number;
        };
        ChatCompletionDto: {
            max_completion_tokens?: number;
            max_tokens?: number;
            messages: components["schemas"]["OpenAiMessageDto"][];
            model: string;
            /** @enum {string} */
            reasoning_effort?: "none" | "minimal" | "low" | "medium" | "high" | "xhigh";
            response_format?: {
                [key: string]: unknown;
            };
            seed?: number;
            stop?: string[];
            stream?: boolean;
            stream_options?: {
                [key: string]: unknown;
            };
            /** Format: double */
            temperature?: number;
            /** Format: double */
            top_p?: number;
            user?: string;
        };
        ChatConfigDto: {
            metadata: {
                [key: string]: unknown;
            };
            preset: string;
            preset_deleted?: boolean;
        };
        ChatDto: {
            config: components["schemas"]["ChatConfigDto"];
            created_at: string;
            external_id?: string;
            id: string;
            last_message_at: string | null;
            tenant_id: string;
            title: string;
            updated_at: string;
            user_id: string;
        };
        ChatMessageDto: {
            chat_id: string;
            content: string;
            created_at: string;
            deleted_at?: string;
            finish_reason?: string;
            id: string;
            metadata: {
                [key: string]: unknown;
            } | null;
            reasoning?: string;
            reply_to_seq?: number;
            /** @enum {string} */
            sender_role: "user" | "assistant" | "system";
            seq: number;
            /** @enum {string} */
            status: "completed" | "cancelled" | "interrupted" | "failed" | "superseded";
            usage?: components["schemas"]["UsageDto"];
        };
        ChatMessagePageDto: {
            has_more: boolean;
            limit: number;
            messages: components["schemas"]["ChatMessageDto"][];
            offset: number;
            total: number;
        };
        ChatPageDto: {
            chats: components["schemas"]["ChatDto"][];
            has_more: boolean;
            limit: number;
            offset: number;
            total: number;
        };
        ClearedDto: {
            /** @enum {string} */
            message: "Context cleared";
            success: boolean;
        };
        CompletionChoiceDto: {
            /** @enum {string} */
            finish_reason: "stop" | "length" | "content_filter";
            index: number;
            logprobs: {
                [key: string]: unknown;
            } | null;
            message: components["schemas"]["CompletionMessageDto"];
        };
        CompletionDto: {
            choices: components["schemas"]["CompletionChoiceDto"][];
            created: number;
            id: string;
            metadata?: {
                [key: string]: string;
            };
            model: string;
            /** @enum {string} */
            object: "chat.completion";
            usage?: components["schemas"]["CompletionUsageDto"] | null;
        };
        CompletionMessageDto: {
            content: string;
            refusal: string | null;
            /** @enum {string} */
            role: "assistant";
        };
        CompletionUsageDto: {
            completion_tokens: number;
            prompt_tokens: number;
            prompt_tokens_details?: components["schemas"]["PromptTokensDetailsDto"];
            total_tokens: number;
        };
        ConnectionCredentialDto: {
            key_id: string | null;
            key_name: string | null;
            key_prefix: string | null;
            /** @enum {string} */
            kind: "key" | "token";
        };
        ConnectionDto: {
            address: string;
            agent: string | null;
            bytes_in: number;
            bytes_out: number;
            connection_id: string;
            credential: components["schemas"]["ConnectionCredentialDto"];
            node_id: string;
            path: string;
            queue_bytes: number;
            rooms: number;
            since: string;
            user_id: string;
        };
        ConnectionsDto: {
            items: components["schemas"]["ConnectionDto"][];
            missing_nodes: string[];
            next: string | null;
        };
        ConversationDto: {
            groupId: string | null;
            id: string;
            lastMessage: string | null;
            lastMessageTruncated: boolean;
            messageCount: number;
            updatedAt: number;
            userId: string;
        };
        ConversationHistoryDto: {
            id: string;
            messages: components["schemas"]["ConversationMessageDto"][];
            total: number;
        };
        ConversationListDto: {
            conversations: components["schemas"]["ConversationDto"][];
            total: number;
        };
        ConversationMessageDto: {
            content: string;
            finishReason?: string;
            reasoning?: string;
            /** @enum {string} */
            role: "user" | "assistant" | "system";
            timestamp: number;
        };
        CountsDto: {
            capped: string[];
            counted_at: string;
            dead_letters: components["schemas"]["DeadLetterCountsDto"];
            jobs: components["schemas"]["JobCountsDto"][];
            runs: components["schemas"]["RunCountsDto"];
        };
        CreateChannelDto: {
            apiKey?: string | null;
            /** @enum {string|null} */
            authHeader?: "authorization" | "api-key" | "x-api-key" | "x-goog-api-key" | null;
            baseUrl?: string;
            contextTokens?: number | null;
            enabled?: boolean;
            maxTokens?: number | null;
            model?: string;
            modelPrices?: {
                [key: string]: unknown;
            };
            models?: {
                [key: string]: unknown;
            };
            name: string;
            params?: components["schemas"]["ChannelParamsDto"];
            prices?: components["schemas"]["ChannelPricesDto"] | null;
            priority?: number;
            /** @enum {string} */
            provider: "openai-compatible" | "anthropic" | "google" | "echo";
            /** Format: double */
            temperature?: number | null;
            timeoutMs?: number;
            timeouts?: components["schemas"]["ChannelTimeoutsDto"];
            vision?: boolean;
            weight?: number;
        };
        CreateChatDto: {
            metadata?: {
                [key: string]: unknown;
            };
            preset?: string;
            title?: string;
            user_id: string;
        };
        CreateImportDto: {
            /** @enum {string} */
            source: "chatapi" | "slack" | "stream";
        };
        CreateKeyDto: {
            expires_at?: string;
            name: string;
            scopes?: ("chat" | "admin")[];
        };
        CreatePresetDto: {
            contextMessages?: number;
            contextTokens?: number | null;
            keepReasoning?: boolean;
            maxTokens?: number | null;
            model?: string | null;
            name: string;
            /** @enum {string|null} */
            reasoningEffort?: "none" | "minimal" | "low" | "medium" | "high" | "xhigh" | null;
            responseFormat?: {
                [key: string]: unknown;
            } | null;
            seed?: number | null;
            stop?: string[] | null;
            systemPrompt: string;
            /** Format: double */
            temperature?: number | null;
            /** Format: double */
            topP?: number | null;
        };
        CreateResponseDto: {
            background?: boolean;
            input: string | components["schemas"]["OpenAiMessageDto"][];
            instructions?: string;
            max_output_tokens?: number;
            model: string;
            previous_response_id?: string;
            reasoning?: {
                [key: string]: unknown;
            };
            store?: boolean;
            stream?: boolean;
            /** Format: double */
            temperature?: number;
            text?: {
                [key: string]: unknown;
            };
            /** Format: double */
            top_p?: number;
            user?: string;
        };
        CreateRoomDto: {
            members?: string[];
            metadata?: {
                [key: string]: unknown;
            };
            name?: string;
            /** @enum {string} */
            posting?: "members" | "admins";
            /** @enum {string} */
            type: "dm" | "group" | "channel";
        };
        CreateTenantDto: {
            limits?: components["schemas"]["LimitsDto"];
            name: string;
            settings?: components["schemas"]["SettingsDto"];
        };
        CreateTokenDto: {
            expires_in?: number;
            user_id: string;
        };
        DeadLetterCountsDto: {
            message: number;
            notification: number;
            webhook: number;
        };
        DeadLetterFilterDto: {
            before?: string;
            /** @enum {string} */
            kind?: "message" | "notification" | "webhook";
            room_id?: string;
            user_id?: string;
        };
        DeadLettersDto: {
            failed_messages: components["schemas"]["FailedMessageDto"][];
            failed_notifications: components["schemas"]["FailedNotificationDto"][];
            failed_webhooks: components["schemas"]["FailedWebhookDto"][];
        };
        DeletionBegunDto: {
            deletion_id: string;
            /** @enum {string} */
            state: "waiting" | "deleting" | "done" | "failed";
        };
        DeletionDto: {
            deleted: {
                [key: string]: number;
            };
            deletion_id: string;
            error: string | null;
            finished_at: string | null;
            started_at: string;
            /** @enum {string} */
            state: "waiting" | "deleting" | "done" | "failed";
        };
        EditMessageDto: {
            content?: string;
            meta?: {
                [key: string]: unknown;
            };
        };
        EffectiveDto: {
            limits: {
                [key: string]: {
                    default: number | null;
                    /** @enum {string} */
                    source: "default" | "tenant";
                    value: number | null;
                };
            };
            settings: {
                [key: string]: {
                    default: unknown;
                    /** @enum {string} */
                    source: "default" | "tenant";
                    value: unknown;
                };
            };
        };
        EnvironmentChannelDto: {
            baseUrl: string;
            lastFaults: components["schemas"]["ChannelFaultDto"][];
            model: string;
            name: string;
            provider: string;
            timeouts: components["schemas"]["ChannelTimeoutsInForceDto"];
        };
        ErasureDto: {
            counts: {
                [key: string]: number;
            };
            erasure_id: string;
            error: string | null;
            finished_at: string | null;
            requested_at: string;
            /** @enum {string} */
            state: "refusing" | "erasing" | "done" | "failed";
        };
        ErasureStartedDto: {
            erasure_id: string;
            /** @enum {string} */
            state: "refusing" | "erasing";
        };
        ErrorAnswer: {
            data: Record<string, never> | null;
            error: {
                /** @enum {string} */
                code: "VALIDATION_ERROR" | "AUTHENTICATION_ERROR" | "AUTHORIZATION_ERROR" | "NOT_FOUND" | "CONVERSATION_NOT_FOUND" | "METHOD_NOT_ALLOWED" | "CONFLICT" | "QUOTA_EXCEEDED" | "CURSOR_EXPIRED" | "PAYLOAD_TOO_LARGE" | "UNSUPPORTED_MEDIA_TYPE" | "IDEMPOTENCY_MISMATCH" | "RATE_LIMIT_EXCEEDED" | "RATE_LIMITED" | "INTERNAL_ERROR" | "MODEL_ERROR" | "CHANNEL_UNAVAILABLE" | "SERVICE_UNAVAILABLE";
                details: {
                    hint: string;
                } & {
                    [key: string]: unknown;
                };
                field?: string;
                message: string;
                request_id: string;
            };
            /** @enum {boolean} */
            success: false;
        };
        ExportDto: {
            bytes: number | null;
            created_at: string;
            error: string | null;
            expires_at: string | null;
            export_id: string;
            lines: number | null;
            ready_at: string | null;
            sha256: string | null;
            /** @enum {string} */
            state: "queued" | "running" | "ready" | "failed" | "expired";
            user_id: string | null;
        };
        ExportPageDto: {
            items: components["schemas"]["ExportDto"][];
            next: string | null;
        };
        FailedMessageDto: {
            attempts: number;
            error: string;
            id: string;
            last_attempt_at: string;
            message_id: string;
            room_id: string;
            user_id: string;
        };
        FailedNotificationDto: {
            attempts: number;
            error: string;
            id: string;
            last_attempt_at: string;
            notification_id: string;
            topic: string;
            user_id: string;
        };
        FailedWebhookDto: {
            attempts: number;
            error: string;
            id: string;
            last_attempt_at: string;
            type: string;
            webhook_id: string;
        };
        FiguresDto: {
            append: components["schemas"]["AppendQueueDto"];
            connections: components["schemas"]["SocketCountsDto"];
            /** Format: double */
            deliveries_per_second: number;
            /** Format: double */
            messages_per_second: number;
            online: number;
            queue_bytes: number;
            /** Format: double */
            refused_per_second: number;
            rooms_live: number;
            /** Format: double */
            send_p50_ms: number | null;
            /** Format: double */
            send_p99_ms: number | null;
            /** Format: double */
            tokens_per_second: number;
        };
        FileTicketDto: {
            expires_in: number;
            url: string;
        };
        HealthDto: {
            /** @enum {string} */
            bus?: "live" | "down";
            clock_offset_ms?: number;
            db_writable: boolean;
            /** @enum {string} */
            status: "ok" | "error";
            uptime: string;
            version: string;
        };
        HoldUserDto: {
            legal_hold?: boolean;
        };
        ImportDto: {
            bytes: number | null;
            counts: {
                [key: string]: number;
            };
            created_at: string;
            error: string | null;
            fault_count: number;
            faults: components["schemas"]["ImportFaultDto"][];
            finished_at: string | null;
            import_id: string;
            keeps_ids: boolean | null;
            parts: number;
            sha256: string | null;
            /** @enum {string} */
            source: "chatapi" | "slack" | "stream";
            /** @enum {string} */
            state: "uploading" | "validating" | "valid" | "invalid" | "running" | "done" | "failed";
        };
        ImportFaultDto: {
            field: string;
            file: string;
            line: number;
            message: string;
        };
        ImportPartDto: {
            bytes: number;
            part: number;
            sha256: string;
        };
        ImportsDto: {
            items: components["schemas"]["ImportDto"][];
            next: string | null;
        };
        InboxNotificationDto: {
            created_at: string;
            delivered_at: string | null;
            notification_id: string;
            payload: {
                [key: string]: unknown;
            };
            read_at: string | null;
            topic: string;
        };
        InboxPageDto: {
            has_more: boolean;
            limit: number;
            notifications: components["schemas"]["InboxNotificationDto"][];
            offset: number;
            total: number;
            unread_count: number;
        };
        JobCountsDto: {
            dead: number;
            kind: string;
            queued: number;
            running: number;
        };
        JobDto: {
            about: {
                [key: string]: unknown;
            };
            attempts: number;
            created_at: string;
            dead_at: string | null;
            due_at: string;
            job_id: string;
            key: string;
            kind: string;
            last_error: string | null;
            /** @enum {string} */
            state: "queued" | "running" | "dead";
            tenant_id: string;
        };
        JobKindDto: {
            dead: number;
            kind: string;
            oldest_due_at: string | null;
            queued: number;
            running: number;
        };
        JobsDto: {
            items: components["schemas"]["JobDto"][];
            kinds: components["schemas"]["JobKindDto"][];
            next: string | null;
        };
        KeyCreatedDto: {
            api_key: string;
            created_at: string;
            expires_at: string | null;
            key_id: string;
            last_used_at: string | null;
            name: string;
            prefix: string;
            revoked_at: string | null;
            scopes: ("chat" | "admin")[];
        };
        KeyDto: {
            created_at: string;
            expires_at: string | null;
            key_id: string;
            last_used_at: string | null;
            name: string;
            prefix: string;
            revoked_at: string | null;
            scopes: ("chat" | "admin")[];
        };
        KeyPageDto: {
            has_more: boolean;
            keys: components["schemas"]["KeyDto"][];
            limit: number;
            offset: number;
            total: number;
        };
        LastMessageDto: {
            content: string;
            created_at: string;
            deleted_at: string | null;
            edited_at: string | null;
            message_id: string;
            meta: {
                [key: string]: unknown;
            } | null;
            sender_id: string;
            seq: number;
            truncated: boolean;
        };
        LimitsDto: {
            ai_requests_per_minute?: (number | "default") | null;
            chat_connections?: (number | "default") | null;
            cost_per_day?: (number | "default") | null;
            members_per_room?: (number | "default") | null;
            requests_per_second?: (number | "default") | null;
            rooms?: (number | "default") | null;
            runs_at_once?: (number | "default") | null;
            runs_at_once_per_user?: (number | "default") | null;
            sse_streams?: (number | "default") | null;
            sse_streams_per_user?: (number | "default") | null;
            tokens_per_chat_per_day?: (number | "default") | null;
            tokens_per_day?: (number | "default") | null;
            tokens_per_user_per_day?: (number | "default") | null;
            users?: (number | "default") | null;
            ws_connections?: (number | "default") | null;
            ws_connections_per_user?: (number | "default") | null;
            ws_messages_per_second?: (number | "default") | null;
        };
        ListedPinDto: {
            message: components["schemas"]["MessageDto"];
            pinned_at: string;
            pinned_by: string;
        };
        ListedReactionCountDto: {
            count: number;
            key: string;
            mine?: boolean;
            users: string[];
        };
        ListedRoomDto: {
            created_at: string;
            first_seq: number;
            last_acked_seq?: number;
            last_message?: components["schemas"]["LastMessageDto"] | null;
            last_read_seq?: number;
            last_rev: number;
            last_seq: number;
            me?: components["schemas"]["MeDto"];
            member_count: number;
            metadata: {
                [key: string]: unknown;
            } | null;
            name: string | null;
            /** @enum {string} */
            posting: "members" | "admins";
            room_id: string;
            settings: components["schemas"]["RoomSettingsDto"];
            /** @enum {string} */
            type: "dm" | "group" | "channel" | "ai";
            unique_key: string | null;
            unread_count?: number;
            updated_at: string;
        };
        MarkUnreadDto: {
            seq: number;
        };
        MeDto: {
            favourite: boolean;
            hidden: boolean;
            muted_until: string | null;
            /** @enum {string} */
            notify: "all" | "mentions" | "none";
            unread_seq: number | null;
        };
        MemberDto: {
            joined_at: string;
            last_seen_at: string | null;
            /** @enum {string} */
            role: "admin" | "member" | "agent";
            /** @enum {string} */
            status: "online" | "offline";
            user_id: string;
        };
        MessageAcceptedDto: {
            created_at: string;
            message_id: string;
            seq: number;
        };
        MessageDto: {
            client_message_id: string | null;
            content: string;
            created_at: string;
            deleted_at: string | null;
            edited_at: string | null;
            message_id: string;
            meta: {
                [key: string]: unknown;
            } | null;
            reactions?: components["schemas"]["ListedReactionCountDto"][];
            reactions_rev?: number;
            rev: number;
            room_id: string;
            sender_id: string;
            seq: number;
        };
        MessageVersionDto: {
            content: string;
            created_at: string;
            meta: {
                [key: string]: unknown;
            } | null;
            rev: number;
        };
        MessageVersionPageDto: {
            next: string | null;
            versions: components["schemas"]["MessageVersionDto"][];
        };
        ModelDto: {
            created: number;
            id: string;
            /** @enum {string} */
            object: "model";
            owned_by: string;
        };
        ModelListDto: {
            data: components["schemas"]["ModelDto"][];
            /** @enum {string} */
            object: "list";
        };
        NodeDatabaseDto: {
            in_use: number;
            size: number;
            up: boolean;
            waiting: number;
        };
        NodeStatsDto: {
            database: components["schemas"]["NodeDatabaseDto"];
            /** Format: double */
            loop_delay_p99_ms: number;
            name: string | null;
            node_id: string;
            rss_bytes: number;
            started_at: string;
        };
        NotificationTargetsDto: {
            room_id?: string;
            topic_subscribers?: boolean;
            user_ids?: string[];
        };
        NotifiedDto: {
            created_at: string;
            notification_id: string;
        };
        NotifyDto: {
            payload: {
                [key: string]: unknown;
            };
            targets: components["schemas"]["NotificationTargetsDto"];
            topic: string;
        };
        OpenAiErrorAnswer: {
            error: {
                /** @enum {string} */
                code: "VALIDATION_ERROR" | "AUTHENTICATION_ERROR" | "AUTHORIZATION_ERROR" | "NOT_FOUND" | "CONVERSATION_NOT_FOUND" | "METHOD_NOT_ALLOWED" | "CONFLICT" | "QUOTA_EXCEEDED" | "CURSOR_EXPIRED" | "PAYLOAD_TOO_LARGE" | "UNSUPPORTED_MEDIA_TYPE" | "IDEMPOTENCY_MISMATCH" | "RATE_LIMIT_EXCEEDED" | "RATE_LIMITED" | "INTERNAL_ERROR" | "MODEL_ERROR" | "CHANNEL_UNAVAILABLE" | "SERVICE_UNAVAILABLE";
                message: string;
                param: string | null;
                type: string;
            };
        };
        OpenAiMessageDto: {
            content: string | Record<string, never>[];
            /** @enum {string} */
            role: "system" | "developer" | "user" | "assistant";
        };
        PatchChannelDto: {
            apiKey?: string | null;
            /** @enum {string|null} */
            authHeader?: "authorization" | "api-key" | "x-api-key" | "x-goog-api-key" | null;
            baseUrl?: string;
            contextTokens?: number | null;
            enabled?: boolean;
            maxTokens?: number | null;
            model?: string;
            modelPrices?: {
                [key: string]: unknown;
            };
            models?: {
                [key: string]: unknown;
            };
            name?: string;
            params?: components["schemas"]["ChannelParamsDto"];
            prices?: components["schemas"]["ChannelPricesDto"] | null;
            priority?: number;
            /** @enum {string} */
            provider?: "openai-compatible" | "anthropic" | "google" | "echo";
            /** Format: double */
            temperature?: number | null;
            timeoutMs?: number;
            timeouts?: components["schemas"]["ChannelTimeoutsDto"];
            vision?: boolean;
            weight?: number;
        };
        PatchPresetDto: {
            contextMessages?: number;
            contextTokens?: number | null;
            keepReasoning?: boolean;
            maxTokens?: number | null;
            model?: string | null;
            /** @enum {string|null} */
            reasoningEffort?: "none" | "minimal" | "low" | "medium" | "high" | "xhigh" | null;
            responseFormat?: {
                [key: string]: unknown;
            } | null;
            seed?: number | null;
            stop?: string[] | null;
            systemPrompt?: string;
            /** Format: double */
            temperature?: number | null;
            /** Format: double */
            topP?: number | null;
        };
        PauseAgentDto: {
            until?: string | null;
        };
        PinDto: {
            message_id: string;
            pinned_at: string;
            rev: number;
            room_id: string;
            seq: number;
        };
        PinsDto: {
            pins: components["schemas"]["ListedPinDto"][];
        };
        PositionDto: {
            room_id: string;
            seq: number;
        };
        PresetDto: {
            contextMessages: number;
            contextTokens: number | null;
            createdAt: number | null;
            keepReasoning: boolean;
            maxTokens: number | null;
            model: string | null;
            name: string;
            /** @enum {string|null} */
            reasoningEffort: "none" | "minimal" | "low" | "medium" | "high" | "xhigh" | null;
            responseFormat: {
                [key: string]: unknown;
            } | null;
            seed: number | null;
            stop: string[] | null;
            systemPrompt: string | null;
            /** Format: double */
            temperature: number | null;
            /** Format: double */
            topP: number | null;
            updatedAt: number | null;
        };
        PresetPageDto: {
            hasMore: boolean;
            limit: number;
            offset: number;
            presets: components["schemas"]["PresetDto"][];
            total: number;
        };
        ProbeDto: {
            /** @enum {string} */
            status: "ok" | "error";
        };
        PromptTokensDetailsDto: {
            cached_tokens: number;
        };
        ReactionCountDto: {
            count: number;
            key: string;
            users: string[];
        };
        ReactionDto: {
            created_at: string;
            key: string;
            user_id: string;
        };
        ReactionPageDto: {
            next: string | null;
            reactions: components["schemas"]["ReactionDto"][];
        };
        ReactionSetDto: {
            count: number;
            key: string;
            message_id: string;
            reactions: components["schemas"]["ReactionCountDto"][];
            rev: number;
            room_id: string;
            seq: number;
        };
        ReceiptDto: {
            delivered: boolean;
            read: boolean;
            user_id: string;
        };
        ReceiptPageDto: {
            next: string | null;
            receipts: components["schemas"]["ReceiptDto"][];
        };
        RegenerateDto: {
            stream?: boolean;
        };
        ReplayDeadLettersDto: {
            filter?: components["schemas"]["DeadLetterFilterDto"];
            ids?: string[];
        };
        ReplayedDto: {
            replayed: number;
        };
        ResponseDto: {
            background: boolean;
            created_at: number;
            error?: {
                [key: string]: unknown;
            } | null;
            id: string;
            incomplete_details?: {
                [key: string]: unknown;
            } | null;
            instructions: {
                [key: string]: unknown;
            } | null;
            metadata: {
                [key: string]: unknown;
            };
            model: string;
            /** @enum {string} */
            object: "response";
            output: Record<string, never>[];
            parallel_tool_calls: boolean;
            previous_response_id: string | null;
            /** @enum {string} */
            status: "queued" | "in_progress" | "completed" | "incomplete" | "cancelled" | "failed";
            store: boolean;
            temperature: number | null;
            /** @enum {string} */
            tool_choice: "auto";
            tools: Record<string, never>[];
            top_p: number | null;
            /** @enum {string} */
            truncation: "auto";
            usage?: {
                [key: string]: unknown;
            } | null;
        };
        RetainRoomDto: {
            legal_hold?: boolean;
            retention_days?: number | null;
        };
        RoomAgentsDto: {
            agents: components["schemas"]["AgentDto"][];
            settings: components["schemas"]["RoomAgentSettingsDto"];
        };
        RoomAgentSettingsDto: {
            /** @enum {string} */
            control: "admins" | "members";
            max_hops: number;
        };
        RoomDto: {
            created_at: string;
            first_seq: number;
            last_rev: number;
            last_seq: number;
            member_count: number;
            metadata: {
                [key: string]: unknown;
            } | null;
            name: string | null;
            /** @enum {string} */
            posting: "members" | "admins";
            room_id: string;
            settings: components["schemas"]["RoomSettingsDto"];
            /** @enum {string} */
            type: "dm" | "group" | "channel" | "ai";
            unique_key: string | null;
            updated_at: string;
        };
        RoomMeDto: {
            favourite: boolean;
            hidden: boolean;
            muted_until: string | null;
            /** @enum {string} */
            notify: "all" | "mentions" | "none";
            room_id: string;
            unread_seq: number | null;
        };
        RoomPageDto: {
            has_more: boolean;
            limit: number;
            offset: number;
            rooms: components["schemas"]["ListedRoomDto"][];
            total: number;
        };
        RoomPresenceDto: {
            has_more: boolean;
            limit: number;
            offset: number;
            online: string[];
            total: number;
        };
        RoomRetentionDto: {
            legal_hold: boolean;
            retention_days: number | null;
            room_id: string;
        };
        RoomSettingsDto: {
            /** @enum {string} */
            pin: "members" | "admins";
            /** @enum {string} */
            reactions: "distinct" | "unique" | "off";
        };
        RotateKeyDto: {
            overlap_seconds?: number;
        };
        RotateWebhookDto: {
            overlap_seconds?: number;
        };
        RunCountsDto: {
            queued: number;
            streaming: number;
        };
        SendChatMessageDto: {
            client_message_id?: string;
            content: string;
            max_tokens?: number;
            metadata?: {
                [key: string]: unknown;
            };
            model?: string;
            /** @enum {string} */
            reasoning_effort?: "none" | "minimal" | "low" | "medium" | "high" | "xhigh";
            response_format?: {
                [key: string]: unknown;
            };
            seed?: number;
            stop?: string[];
            stream?: boolean;
            /** Format: double */
            temperature?: number;
            /** Format: double */
            top_p?: number;
        };
        SendMessageDto: {
            client_message_id?: string;
            content: string;
            meta?: {
                [key: string]: unknown;
            };
        };
        SetRoleDto: {
            /** @enum {string} */
            role: "admin" | "member";
        };
        SettingsDto: {
            /** @enum {string|null} */
            agent_control?: "admins" | "members" | null;
            allowed_origins?: string[] | null;
            /** @enum {string|null} */
            message_history?: "on" | "off" | null;
            /** @enum {string|null} */
            openai_door?: "keys" | "open" | null;
            presence_room_limit?: number | null;
            /** @enum {string|null} */
            read_receipts?: "all" | "admins" | "off" | null;
            /** @enum {string|null} */
            response_format?: "bare" | "envelope" | null;
            retention_days?: number | null;
            webhook?: components["schemas"]["WebhookSettingsDto"] | null;
            /** @enum {string|null} */
            while_answering?: "queue" | "reject" | "interrupt" | null;
        };
        SocketCountsDto: {
            sse: number;
            ws: number;
            ws_chat: number;
        };
        StatsDto: {
            at: string;
            counts: components["schemas"]["CountsDto"] | null;
            figures: components["schemas"]["FiguresDto"];
            id: number;
            nodes: components["schemas"]["NodeStatsDto"][] | null;
            tenant_id: string | null;
            tenants: components["schemas"]["TenantFiguresDto"][] | null;
        };
        StatsHistoryDto: {
            points: components["schemas"]["StatsPointDto"][];
            /** @enum {string} */
            range: "1h" | "24h" | "7d";
            /** @enum {integer} */
            step: 60 | 300 | 900 | 3600;
            tenant_id: string | null;
        };
        StatsPointDto: {
            append_items: number | null;
            /** Format: double */
            append_oldest_ms: number | null;
            at: string;
            connections: number;
            deliveries: number;
            /** Format: double */
            loop_delay_p99_ms: number | null;
            messages: number;
            online: number;
            queue_bytes: number | null;
            refused: number;
            rss_bytes: number | null;
            /** Format: double */
            send_p50_ms: number | null;
            /** Format: double */
            send_p99_ms: number | null;
            tokens: number;
        };
        StoppedAnswersDto: {
            message_ids: string[];
        };
        StoppedDto: {
            answers: components["schemas"]["ChatMessageDto"][];
        };
        SubscribeTopicDto: {
            topic: string;
        };
        SuccessDto: {
            success: boolean;
        };
        TenantChangesDto: {
            changes: ({
                rev: number;
                room_id: string;
                /** @enum {string} */
                type: "message" | "message.updated" | "message.deleted" | "member.joined" | "member.left" | "member.updated" | "room.updated" | "room.trimmed" | "room.deleted" | "reaction.updated" | "message.pinned" | "message.unpinned" | "room.reset";
            } & {
                [key: string]: unknown;
            })[];
            epoch: number;
            has_more: boolean;
            next: string;
        };
        TenantCreatedDto: {
            api_key: string;
            created_at: string;
            effective: components["schemas"]["EffectiveDto"];
            name: string;
            tenant_id: string;
            webhook_secret?: string;
        };
        TenantDto: {
            created_at: string;
            effective: components["schemas"]["EffectiveDto"];
            limits: {
                [key: string]: number | null;
            };
            name: string;
            settings: {
                [key: string]: unknown;
            };
            /** @enum {string} */
            status: "active" | "suspended" | "deleting";
            tenant_id: string;
            updated_at: string;
        };
        TenantFiguresDto: {
            connections: number;
            /** Format: double */
            deliveries_per_second: number;
            /** Format: double */
            messages_per_second: number;
            online: number;
            /** Format: double */
            refused_per_second: number;
            /** Format: double */
            send_p99_ms: number | null;
            tenant_id: string;
            /** Format: double */
            tokens_per_second: number;
        };
        TenantPageDto: {
            has_more: boolean;
            limit: number;
            offset: number;
            tenants: components["schemas"]["TenantDto"][];
            total: number;
        };
        TenantUpdatedDto: {
            created_at: string;
            effective: components["schemas"]["EffectiveDto"];
            limits: {
                [key: string]: number | null;
            };
            name: string;
            settings: {
                [key: string]: unknown;
            };
            /** @enum {string} */
            status: "active" | "suspended" | "deleting";
            tenant_id: string;
            updated_at: string;
            webhook_secret?: string;
        };
        TenantUsageDto: {
            approximate: string[];
            complete_to: string | null;
            from: string;
            /** @enum {string} */
            group_by: "channel" | "user" | "chat" | "preset" | "day";
            items: components["schemas"]["TenantUsageItemDto"][];
            next: string | null;
            tenant_id: string;
            to: string;
        };
        TenantUsageItemDto: {
            channel?: string | null;
            completion_tokens: number;
            /** Format: double */
            cost: number;
            day?: string;
            deliveries?: number;
            estimated_tokens: number;
            messages?: number;
            peak_connections?: number;
            preset?: string | null;
            prompt_tokens: number;
            room_id?: string;
            runs: number;
            storage_bytes?: number;
            user_id?: string;
            webhook_posts?: number;
        };
        TicketDto: {
            expires_in: number;
            token: string;
        };
        TokenCreatedDto: {
            expires_at: string;
            expires_in: number;
            token: string;
            user_id: string;
        };
        TokenUsageDto: {
            cachedPromptTokens?: number;
            completionTokens: number;
            estimated?: boolean;
            promptTokens: number;
            totalTokens: number;
        };
        TopicSubscriptionDto: {
            created_at: string;
            id: string;
            subscriber_id: string;
            topic: string;
        };
        TopicSubscriptionPageDto: {
            has_more: boolean;
            limit: number;
            offset: number;
            subscriptions: components["schemas"]["TopicSubscriptionDto"][];
            total: number;
        };
        TraceBatchDto: {
            messages: number;
            took_ms: number;
            waited_ms: number;
        };
        TraceCommitDto: {
            at: string;
            batch: components["schemas"]["TraceBatchDto"] | null;
            rev: number | null;
            seq: number;
        };
        TraceConnectionDto: {
            connection_id: string;
            node_id: string;
            opened_at: string;
            redelivered: number | null;
            sent: boolean;
        };
        TraceDto: {
            accepted_at: string | null;
            committed: components["schemas"]["TraceCommitDto"];
            message_id: string;
            next: string | null;
            recipients: components["schemas"]["TraceRecipientDto"][];
            room_id: string;
            sender_id: string;
            unknown: string[];
            webhooks: components["schemas"]["TraceWebhookDto"][];
        };
        TraceLetterDto: {
            attempts: number;
            error: string;
            id: string;
            last_attempt_at: string;
        };
        TraceMarkDto: {
            at: string | null;
            done: boolean;
        };
        TraceRecipientDto: {
            acked: components["schemas"]["TraceMarkDto"];
            connections: components["schemas"]["TraceConnectionDto"][];
            dead_letter: components["schemas"]["TraceLetterDto"] | null;
            is_sender: boolean;
            read: components["schemas"]["TraceMarkDto"];
            user_id: string;
            webhook_ids: string[];
        };
        TraceWebhookDto: {
            attempts: number;
            created_at: string;
            error: string | null;
            last_attempt_at: string | null;
            latency_ms: number | null;
            /** @enum {string} */
            state: "pending" | "delivered" | "dead" | "failed";
            status: number | null;
            type: string;
            webhook_id: string;
        };
        TurnDto: {
            answer: components["schemas"]["ChatMessageDto"];
            message: components["schemas"]["ChatMessageDto"];
        };
        UiChatDto: {
            id: string;
            messageId?: string;
            messages: components["schemas"]["UiMessageDto"][];
            preset?: string;
            /** @enum {string} */
            trigger?: "submit-message" | "regenerate-message";
        };
        UiMessageDto: {
            id: string;
            metadata?: {
                [key: string]: unknown;
            };
            parts: components["schemas"]["UiPartDto"][];
            /** @enum {string} */
            role: "user" | "assistant" | "system";
        };
        UiMessagePageDto: {
            has_more: boolean;
            limit: number;
            messages: components["schemas"]["UiMessageDto"][];
            offset: number;
            total: number;
        };
        UiPartDto: {
            filename?: string;
            state?: string;
            text?: string;
            type: string;
            url?: string;
        };
        UiStoppedDto: {
            answers: components["schemas"]["UiMessageDto"][];
        };
        UpdateChatDto: {
            metadata?: {
                [key: string]: unknown;
            };
            title?: string;
        };
        UpdateMeDto: {
            favourite?: boolean;
            hidden?: boolean;
            muted_until?: string | null;
            /** @enum {string} */
            notify?: "all" | "mentions" | "none";
        };
        UpdateRoomDto: {
            metadata?: {
                [key: string]: unknown;
            };
            name?: string;
            /** @enum {string} */
            posting?: "members" | "admins";
            settings?: components["schemas"]["UpdateRoomSettingsDto"];
        };
        UpdateRoomSettingsDto: {
            /** @enum {string} */
            pin?: "members" | "admins";
            /** @enum {string} */
            reactions?: "distinct" | "unique" | "off";
        };
        UpdateTenantDto: {
            limits?: components["schemas"]["LimitsDto"];
            name?: string;
            settings?: components["schemas"]["SettingsDto"];
            /** @enum {string} */
            status?: "active" | "suspended";
        };
        UsageDto: {
            cached_prompt_tokens?: number;
            completion_tokens: number;
            estimated?: boolean;
            prompt_tokens: number;
            total_tokens: number;
        };
        UserHoldDto: {
            legal_hold: boolean;
            user_id: string;
        };
        VerifiedAuditDto: {
            checked_to: number;
            fault: components["schemas"]["AuditFaultDto"] | null;
            head: components["schemas"]["AuditHeadDto"] | null;
            holds: boolean;
            next: number | null;
            rows: number;
        };
        WebhookDeliveryDto: {
            answer: string | null;
            attempts: number;
            created_at: string;
            error: string | null;
            last_attempt_at: string | null;
            latency_ms: number | null;
            /** @enum {string} */
            state: "pending" | "delivered" | "dead" | "failed";
            status: number | null;
            type: string;
            webhook_id: string;
        };
        WebhookDeliveryPageDto: {
            deliveries: components["schemas"]["WebhookDeliveryDto"][];
            has_more: boolean;
            limit: number;
            offset: number;
            total: number;
        };
        WebhookDto: {
            disabled_at: string | null;
            disabled_reason: string | null;
            events: string[];
            failing_since: string | null;
            /** @enum {string} */
            status: "enabled" | "disabled";
            url: string;
        };
        WebhookRotatedDto: {
            webhook_secret: string;
        };
        WebhookSettingsDto: {
            events?: ("message.offline" | "notification.offline" | "message.created" | "reaction.updated" | "message.pinned" | "room.created" | "member.joined" | "member.left" | "budget.warning")[];
            url: string;
        };
        WhoamiDto: {
            /** @enum {string} */
            credential: "master" | "key" | "token";
            expires_at: string | null;
            key_id: string | null;
            limits: {
                [key: string]: {
                    left: number | null;
                    limit: number | null;
                };
            };
            scopes: string[];
            tenant_id: string | null;
            user_id: string | null;
        };
    };
    responses: never;
    parameters: {
        IdempotencyKey: string;
        IfNoneMatch: string;
        RequestId: string;
        ResponseFormat: "bare" | "envelope";
    };
    requestBodies: never;
    headers: {
        "Cache-Control": string;
        ETag: string;
        "Idempotent-Replayed": string;
        "Retry-After": number;
        Vary: string;
        "X-First-Seq": number;
        "X-Has-Newer": boolean;
        "X-Has-Older": boolean;
        "X-RateLimit-Limit": number;
        "X-RateLimit-Remaining": number;
        "X-RateLimit-Reset": number;
        "X-Request-Id": string;
        "X-Total-Count": number;
    };
    pathItems: never;
}
export interface operations {
    Delivery_ack: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PositionDto"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SuccessDto"];
                };
            };
        };
    };
    Audit_list: {
        parameters: {
            query?: {
                action?: "agent.add" | "agent.remove" | "channel.create" | "channel.delete" | "channel.update" | "connection.close" | "dead_letter.drop" | "dead_letters.replay" | "import.create" | "import.start" | "import.upload" | "import.validate" | "job.run" | "key.create" | "key.revoke" | "key.rotate" | "member.remove" | "member.role" | "message.delete" | "preset.create" | "preset.delete" | "preset.update" | "room.delete" | "room.read_content" | "room.retention" | "tenant.create" | "tenant.delete" | "tenant.deleted" | "tenant.export" | "tenant.export_file" | "tenant.export_link" | "tenant.update" | "user.erase" | "user.export" | "user.export_file" | "user.export_link" | "user.hold" | "user.read_content" | "webhook.rotate" | "webhook.test";
                actor?: string;
                cursor?: string;
                from?: string;
                limit?: number;
                target?: string;
                tenant_id?: string;
                to?: string;
            };
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditPageDto"];
                };
            };
        };
    };
    Audit_verify: {
        parameters: {
            query?: {
                after?: number;
                tenant_id?: string;
            };
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VerifiedAuditDto"];
                };
            };
        };
    };
    AdminConnections_list: {
        parameters: {
            query?: {
                cursor?: string;
                limit?: number;
                tenant_id?: string;
                user_id?: string;
            };
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConnectionsDto"];
                };
            };
        };
    };
    AdminConnections_close: {
        parameters: {
            query?: {
                code?: "1013" | "4003" | "4004";
                tenant_id?: string;
            };
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                connection_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    DeadLetters_list: {
        parameters: {
            query?: {
                limit?: number;
                tenant_id?: string;
            };
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeadLettersDto"];
                };
            };
        };
    };
    DeadLetters_drop: {
        parameters: {
            query?: {
                tenant_id?: string;
            };
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    DeadLetters_replay: {
        parameters: {
            query?: {
                tenant_id?: string;
            };
            header?: {
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReplayDeadLettersDto"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReplayedDto"];
                };
            };
        };
    };
    AdminJobs_list: {
        parameters: {
            query?: {
                cursor?: string;
                kind?: string;
                limit?: number;
                state?: "queued" | "running" | "dead";
                tenant_id?: string;
            };
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobsDto"];
                };
            };
        };
    };
    AdminJobs_run: {
        parameters: {
            query?: {
                tenant_id?: string;
            };
            header?: {
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobDto"];
                };
            };
        };
    };
    AdminRooms_list: {
        parameters: {
            query?: {
                cursor?: string;
                limit?: number;
                prefix?: string;
                tenant_id?: string;
                type?: "dm" | "group" | "channel" | "ai";
            };
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AdminRoomsDto"];
                };
            };
        };
    };
    AdminRooms_get: {
        parameters: {
            query?: {
                content?: boolean;
                cursor?: string;
                limit?: number;
                tenant_id?: string;
            };
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                room_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AdminRoomDetailDto"];
                };
            };
        };
    };
    Retention_room: {
        parameters: {
            query?: {
                tenant_id?: string;
            };
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                room_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RetainRoomDto"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RoomRetentionDto"];
                };
            };
        };
    };
    Stats_now: {
        parameters: {
            query?: {
                tenant_id?: string;
            };
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StatsDto"];
                };
            };
        };
    };
    Stats_history: {
        parameters: {
            query?: {
                range?: "1h" | "24h" | "7d";
                step?: 60 | 300 | 900 | 3600;
                tenant_id?: string;
            };
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StatsHistoryDto"];
                };
            };
        };
    };
    Stats_stream: {
        parameters: {
            query?: {
                tenant_id?: string;
            };
            header?: {
                "Last-Event-ID"?: string;
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
        };
    };
    AdminTenants_list: {
        parameters: {
            query?: {
                limit?: number;
                offset?: number;
            };
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TenantPageDto"];
                };
            };
        };
    };
    AdminTenants_create: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateTenantDto"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TenantCreatedDto"];
                };
            };
        };
    };
    AdminTenants_get: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                tenant_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TenantDto"];
                };
            };
        };
    };
    Deletion_begin: {
        parameters: {
            query: {
                confirm: string;
            };
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                tenant_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeletionBegunDto"];
                };
            };
        };
    };
    AdminTenants_update: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                tenant_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UpdateTenantDto"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TenantUpdatedDto"];
                };
            };
        };
    };
    Deletion_find: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                tenant_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeletionDto"];
                };
            };
        };
    };
    Erase_erasure: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                erasure_id: string;
                tenant_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErasureDto"];
                };
            };
        };
    };
    TenantExports_list: {
        parameters: {
            query?: {
                cursor?: string;
                limit?: number;
            };
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                tenant_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExportPageDto"];
                };
            };
        };
    };
    TenantExports_create: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                tenant_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExportDto"];
                };
            };
        };
    };
    TenantExports_show: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                export_id: string;
                tenant_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExportDto"];
                };
            };
        };
    };
    TenantExports_file: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                export_id: string;
                tenant_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/gzip": string;
                };
            };
        };
    };
    TenantExports_link: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                export_id: string;
                tenant_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FileTicketDto"];
                };
            };
        };
    };
    Imports_list: {
        parameters: {
            query?: {
                cursor?: string;
                limit?: number;
            };
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                tenant_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ImportsDto"];
                };
            };
        };
    };
    Imports_create: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                tenant_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateImportDto"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ImportDto"];
                };
            };
        };
    };
    Imports_get: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                import_id: string;
                tenant_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ImportDto"];
                };
            };
        };
    };
    Imports_upload: {
        parameters: {
            query: {
                part: number;
            };
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                import_id: string;
                tenant_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/octet-stream": string;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ImportPartDto"];
                };
            };
        };
    };
    Imports_start: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                import_id: string;
                tenant_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ImportDto"];
                };
            };
        };
    };
    Imports_validate: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                import_id: string;
                tenant_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ImportDto"];
                };
            };
        };
    };
    AdminKeys_list: {
        parameters: {
            query?: {
                limit?: number;
                offset?: number;
            };
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                tenant_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyPageDto"];
                };
            };
        };
    };
    AdminKeys_create: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                tenant_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateKeyDto"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyCreatedDto"];
                };
            };
        };
    };
    AdminKeys_revoke: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                key_id: string;
                tenant_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    AdminKeys_rotate: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                key_id: string;
                tenant_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RotateKeyDto"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyCreatedDto"];
                };
            };
        };
    };
    Erase_erase: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                tenant_id: string;
                user_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErasureStartedDto"];
                };
            };
        };
    };
    UserExports_create: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                tenant_id: string;
                user_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExportDto"];
                };
            };
        };
    };
    UserExports_show: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                tenant_id: string;
                user_export_id: string;
                user_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExportDto"];
                };
            };
        };
    };
    UserExports_file: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                tenant_id: string;
                user_export_id: string;
                user_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/gzip": string;
                };
            };
        };
    };
    UserExports_link: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                tenant_id: string;
                user_export_id: string;
                user_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FileTicketDto"];
                };
            };
        };
    };
    Webhooks_get: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                tenant_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookDto"];
                };
            };
        };
    };
    Webhooks_deliveries: {
        parameters: {
            query?: {
                limit?: number;
                offset?: number;
            };
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                tenant_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookDeliveryPageDto"];
                };
            };
        };
    };
    Webhooks_rotate: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                tenant_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RotateWebhookDto"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookRotatedDto"];
                };
            };
        };
    };
    Webhooks_test: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                tenant_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookDeliveryDto"];
                };
            };
        };
    };
    Usage_usage: {
        parameters: {
            query?: {
                cursor?: string;
                from?: string;
                group_by?: "day" | "user" | "chat" | "channel" | "preset";
                limit?: number;
                tenant_id?: string;
                to?: string;
            };
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TenantUsageDto"];
                };
            };
        };
    };
    AdminUsers_list: {
        parameters: {
            query?: {
                cursor?: string;
                limit?: number;
                prefix?: string;
                tenant_id?: string;
            };
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AdminUsersDto"];
                };
            };
        };
    };
    AdminUsers_get: {
        parameters: {
            query?: {
                content?: boolean;
                cursor?: string;
                limit?: number;
                tenant_id?: string;
            };
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                user_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AdminUserDetailDto"];
                };
            };
        };
    };
    Retention_user: {
        parameters: {
            query?: {
                tenant_id?: string;
            };
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                user_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["HoldUserDto"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserHoldDto"];
                };
            };
        };
    };
    Channels_list: {
        parameters: {
            query?: {
                limit?: number;
                offset?: number;
            };
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["ChannelPageDto"];
                        error?: Record<string, never> | null;
                        /** @enum {boolean} */
                        success: true;
                    };
                };
            };
        };
    };
    Channels_create: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateChannelDto"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["ChannelDto"];
                        error?: Record<string, never> | null;
                        /** @enum {boolean} */
                        success: true;
                    };
                };
            };
        };
    };
    Channels_get: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                channelId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["ChannelDto"];
                        error?: Record<string, never> | null;
                        /** @enum {boolean} */
                        success: true;
                    };
                };
            };
        };
    };
    Channels_delete: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                channelId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    Channels_change: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                channelId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PatchChannelDto"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["ChannelDto"];
                        error?: Record<string, never> | null;
                        /** @enum {boolean} */
                        success: true;
                    };
                };
            };
        };
    };
    Channels_test: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                channelId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["ChannelTestDto"];
                        error?: Record<string, never> | null;
                        /** @enum {boolean} */
                        success: true;
                    };
                };
            };
        };
    };
    Channels_environment: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["EnvironmentChannelDto"];
                        error?: Record<string, never> | null;
                        /** @enum {boolean} */
                        success: true;
                    };
                };
            };
        };
    };
    Chat_ask: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AskDto"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["AnswerDto"];
                        error?: Record<string, never> | null;
                        /** @enum {boolean} */
                        success: true;
                    };
                };
            };
        };
    };
    Chat_askForStream: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AskDto"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
        };
    };
    Conversations_list: {
        parameters: {
            query?: {
                groupId?: string;
                limit?: number;
                offset?: number;
                userId?: string;
            };
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["ConversationListDto"];
                        error?: Record<string, never> | null;
                        /** @enum {boolean} */
                        success: true;
                    };
                };
            };
        };
    };
    Conversations_get: {
        parameters: {
            query?: {
                limit?: number;
                offset?: number;
            };
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                conversation_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["ConversationHistoryDto"];
                        error?: Record<string, never> | null;
                        /** @enum {boolean} */
                        success: true;
                    };
                };
            };
        };
    };
    Conversations_delete: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                conversation_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SuccessDto"];
                };
            };
        };
    };
    Conversations_clear: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                conversation_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClearedDto"];
                };
            };
        };
    };
    Conversations_stream: {
        parameters: {
            query?: {
                last_event_id?: string;
            };
            header?: {
                "Last-Event-ID"?: string;
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                conversation_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    Presets_list: {
        parameters: {
            query?: {
                limit?: number;
                offset?: number;
            };
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["PresetPageDto"];
                        error?: Record<string, never> | null;
                        /** @enum {boolean} */
                        success: true;
                    };
                };
            };
        };
    };
    Presets_create: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreatePresetDto"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["PresetDto"];
                        error?: Record<string, never> | null;
                        /** @enum {boolean} */
                        success: true;
                    };
                };
            };
        };
    };
    Presets_get: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                preset: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["PresetDto"];
                        error?: Record<string, never> | null;
                        /** @enum {boolean} */
                        success: true;
                    };
                };
            };
        };
    };
    Presets_delete: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                preset: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    Presets_change: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                preset: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PatchPresetDto"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["PresetDto"];
                        error?: Record<string, never> | null;
                        /** @enum {boolean} */
                        success: true;
                    };
                };
            };
        };
    };
    UiChat_answer: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UiChatDto"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
        };
    };
    UiChat_stop: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                chat_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UiStoppedDto"];
                };
            };
        };
    };
    UiChat_stream: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                chat_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    Chats_create: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateChatDto"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChatDto"];
                };
            };
        };
    };
    Chats_get: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                chat_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChatDto"];
                };
            };
        };
    };
    Chats_delete: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                chat_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SuccessDto"];
                };
            };
        };
    };
    Chats_update: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                chat_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UpdateChatDto"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChatDto"];
                };
            };
        };
    };
    Chats_messages: {
        parameters: {
            query?: {
                format?: "ui";
                limit?: number;
                offset?: number;
                order?: "asc" | "desc";
            };
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                chat_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChatMessagePageDto"] | components["schemas"]["UiMessagePageDto"];
                };
            };
        };
    };
    Turns_send: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                chat_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SendChatMessageDto"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TurnDto"];
                    "text/event-stream": string;
                };
            };
        };
    };
    Turns_regenerate: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                chat_id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["RegenerateDto"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TurnDto"];
                    "text/event-stream": string;
                };
            };
        };
    };
    Turns_stop: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                chat_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StoppedDto"];
                };
            };
        };
    };
    Turns_stream: {
        parameters: {
            query?: {
                last_event_id?: string;
            };
            header?: {
                "Last-Event-ID"?: string;
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                chat_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    Chats_list: {
        parameters: {
            query?: {
                limit?: number;
                offset?: number;
                order?: "asc" | "desc";
            };
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                user_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChatPageDto"];
                };
            };
        };
    };
    Whoami_canI: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CanIDto"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CanIAnswerDto"];
                };
            };
        };
    };
    Changes_list: {
        parameters: {
            query?: {
                after?: string;
                limit?: number;
            };
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TenantChangesDto"];
                };
            };
        };
    };
    ExportFile_file: {
        parameters: {
            query?: {
                ticket?: string;
            };
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/gzip": string;
                };
            };
        };
    };
    Health_report: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HealthDto"];
                };
            };
        };
    };
    Health_live: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProbeDto"];
                };
            };
        };
    };
    Health_ready: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProbeDto"];
                };
            };
        };
    };
    Health_metricsText: {
        parameters: {
            query?: never;
            header: {
                "x-master-key": string;
                "X-Request-Id"?: components["parameters"]["RequestId"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
        };
    };
    Notifications_inbox: {
        parameters: {
            query?: {
                limit?: number;
                offset?: number;
            };
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InboxPageDto"];
                };
            };
        };
    };
    Notifications_read: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                notification_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SuccessDto"];
                };
            };
        };
    };
    Notifications_notify: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NotifyDto"];
            };
        };
        responses: {
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NotifiedDto"];
                };
            };
        };
    };
    Delivery_read: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PositionDto"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SuccessDto"];
                };
            };
        };
    };
    Rooms_list: {
        parameters: {
            query?: {
                limit?: number;
                offset?: number;
                scope?: "joinable";
            };
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RoomPageDto"];
                };
            };
        };
    };
    Rooms_create: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateRoomDto"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RoomDto"];
                };
            };
        };
    };
    Rooms_get: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                room_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RoomDto"];
                };
            };
        };
    };
    Rooms_delete: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                room_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    Rooms_update: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                room_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UpdateRoomDto"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RoomDto"];
                };
            };
        };
    };
    Agents_list: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                room_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RoomAgentsDto"];
                };
            };
        };
    };
    Agents_add: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                room_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AddAgentDto"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AgentDto"];
                };
            };
        };
    };
    Agents_settle: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                room_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AgentSettingsDto"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RoomAgentSettingsDto"];
                };
            };
        };
    };
    Agents_remove: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                agent_id: string;
                room_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    Agents_change: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                agent_id: string;
                room_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChangeAgentDto"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AgentDto"];
                };
            };
        };
    };
    Agents_pause: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                agent_id: string;
                room_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PauseAgentDto"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AgentDto"];
                };
            };
        };
    };
    Agents_resume: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                agent_id: string;
                room_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AgentDto"];
                };
            };
        };
    };
    Agents_stop: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                agent_id: string;
                room_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StoppedAnswersDto"];
                };
            };
        };
    };
    Messages_changes: {
        parameters: {
            query?: {
                after_rev?: number;
                limit?: number;
            };
            header?: {
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                room_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChangesDto"];
                };
            };
        };
    };
    Members_join: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                room_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MemberDto"];
                };
            };
        };
    };
    Me_update: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                room_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UpdateMeDto"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RoomMeDto"];
                };
            };
        };
    };
    Members_list: {
        parameters: {
            query?: {
                limit?: number;
                offset?: number;
            };
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                room_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MemberDto"][];
                };
            };
        };
    };
    Members_add: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                room_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AddMembersDto"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MemberDto"][];
                };
            };
        };
    };
    Members_remove: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                room_id: string;
                user_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    Members_setRole: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                room_id: string;
                user_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SetRoleDto"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MemberDto"];
                };
            };
        };
    };
    Messages_list: {
        parameters: {
            query?: {
                after_seq?: number;
                around?: string;
                before_seq?: number;
                limit?: number;
                offset?: number;
                order?: "asc" | "desc";
            };
            header?: {
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                room_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageDto"][];
                };
            };
        };
    };
    Messages_send: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                room_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SendMessageDto"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageAcceptedDto"];
                };
            };
        };
    };
    Messages_get: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                message_id: string;
                room_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageDto"];
                };
            };
        };
    };
    Messages_delete: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                message_id: string;
                room_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    Messages_edit: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                message_id: string;
                room_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EditMessageDto"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageDto"];
                };
            };
        };
    };
    Seen_history: {
        parameters: {
            query?: {
                cursor?: string;
                limit?: number;
            };
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                message_id: string;
                room_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageVersionPageDto"];
                };
            };
        };
    };
    States_listReactions: {
        parameters: {
            query?: {
                cursor?: string;
                key?: string;
                limit?: number;
            };
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                message_id: string;
                room_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReactionPageDto"];
                };
            };
        };
    };
    States_react: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                key: string;
                message_id: string;
                room_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReactionSetDto"];
                };
            };
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReactionSetDto"];
                };
            };
        };
    };
    States_unreact: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                key: string;
                message_id: string;
                room_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    Seen_receipts: {
        parameters: {
            query?: {
                cursor?: string;
                limit?: number;
            };
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                message_id: string;
                room_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReceiptPageDto"];
                };
            };
        };
    };
    Trace_trace: {
        parameters: {
            query?: {
                cursor?: string;
                limit?: number;
                tenant_id?: string;
            };
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                message_id: string;
                room_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TraceDto"];
                };
            };
        };
    };
    States_listPins: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                room_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PinsDto"];
                };
            };
        };
    };
    States_pin: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                message_id: string;
                room_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PinDto"];
                };
            };
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PinDto"];
                };
            };
        };
    };
    States_unpin: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                message_id: string;
                room_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    Presence_list: {
        parameters: {
            query?: {
                limit?: number;
                offset?: number;
            };
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                room_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RoomPresenceDto"];
                };
            };
        };
    };
    Me_unread: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                room_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MarkUnreadDto"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RoomMeDto"];
                };
            };
        };
    };
    Subscriptions_list: {
        parameters: {
            query?: {
                limit?: number;
                offset?: number;
            };
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TopicSubscriptionPageDto"];
                };
            };
        };
    };
    Subscriptions_subscribe: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SubscribeTopicDto"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TopicSubscriptionDto"];
                };
            };
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TopicSubscriptionDto"];
                };
            };
        };
    };
    Subscriptions_unsubscribe: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                subscription_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    Tokens_create: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateTokenDto"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenCreatedDto"];
                };
            };
        };
    };
    OpenAi_complete: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                "X-Chat-Id"?: string;
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChatCompletionDto"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CompletionDto"];
                    "text/event-stream": string;
                };
            };
        };
    };
    OpenAi_list: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelListDto"];
                };
            };
        };
    };
    OpenAi_get: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                preset: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelDto"];
                };
            };
        };
    };
    Responses_create: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateResponseDto"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ResponseDto"];
                    "text/event-stream": string;
                };
            };
        };
    };
    Responses_retrieve: {
        parameters: {
            query?: {
                starting_after?: number;
                stream?: boolean;
            };
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                response_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ResponseDto"];
                    "text/event-stream": string;
                };
            };
        };
    };
    Responses_cancel: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path: {
                response_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ResponseDto"];
                };
            };
        };
    };
    Whoami_whoami: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WhoamiDto"];
                };
            };
        };
    };
    Tokens_ticket: {
        parameters: {
            query?: never;
            header?: {
                "X-Request-Id"?: components["parameters"]["RequestId"];
                "X-Response-Format"?: components["parameters"]["ResponseFormat"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TicketDto"];
                };
            };
        };
    };
}
