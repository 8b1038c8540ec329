/**
 * The demo data of a first start. The ids are fixed, so that the examples in Swagger UI and the README work as they
 * stand on every fresh installation.
 */
export const DEMO = {
  tenantId: '01900000-0000-7000-8000-0000000000d2',
  roomId: '01900000-0000-7000-8000-0000000000d0',
  messageId: '01900000-0000-7000-8000-0000000000d1',
  chatId: '01900000-0000-7000-8000-0000000000c0',
  chatTitle: 'Assistant',
  notificationId: '01900000-0000-7000-8000-0000000000f0',
  subscriptionId: '01900000-0000-7000-8000-0000000000e0',
  topic: 'welcome',
  tenantName: 'demo',
  roomName: 'general',
  userId: 'alice',
  otherUserId: 'bob',
} as const;
