/** Ends a subscription; its handler is not called again once this has returned. */
export type Unsubscribe = () => void;

/** Told of an exception that a subscriber's handler threw; `source` names what it was subscribed to. */
export type OnHandlerError = (error: unknown, source: string) => void;
