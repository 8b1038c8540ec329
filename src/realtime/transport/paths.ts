/** The Rooms API's socket. */
export const SOCKET_PATH = '/ws';
