/**
 * Notifications: what a tenant's servers tell its users, beside rooms (docs/adr/0018).
 *
 * Owns the tables notifications, notification_deliveries, subscriptions. Invariants: exactly the union of the targets
 * gets a notification, each user once (the key of a delivery); what was answered 202 reaches its targets, whatever dies;
 * until it is delivered it waits and is sent on every connect; being offline is no attempt. Delivered: acknowledged, or
 * written to a connection that never acknowledges, or read.
 *
 * Concurrency: the fan-out is a job in batches and holds nothing between them. The table is the truth, hints to the nodes
 * may be lost: a poll finds what no hint told of. What the connections of a node settle goes in one statement.
 */
export { NotificationsService } from './inbox/notifications.service';
export { SubscriptionsService } from './subscriptions/subscriptions.service';
export { NotificationDeadLetters } from './dead-letters/dead-letters';
export { NotificationFacts, type NotificationView } from './inbox/notifications.repository';
export { NotificationsModule } from './notifications.module';
export { OfflineJobs, type OfflineTargets } from './delivery/fan-out';
export { Settlements as NotificationSettlements } from './delivery/deliveries.repository';
