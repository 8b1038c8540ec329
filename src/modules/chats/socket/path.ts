/** Where the sockets of chats are opened. */
export const CHAT_SOCKET_PATH = '/ws/chat';
