/**
 * Discovery: what providers say of themselves by decorators, found once while the server starts.
 *
 * A decorator (`@SocketOperation`, `@JobHandler`, `@OnConnection`, `@DeadLetterSource`, `@Every`, `@OnStop`) only marks
 * its class or method; the part that it is for reads the marks and refuses to start with one too few or one too many. So
 * nothing registers itself, and the order of the modules decides nothing.
 */
export { Explorer, type Found, type FoundMethod, markClass, markMethod } from './explorer';
