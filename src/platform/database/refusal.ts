/** The server refuses to start on this database; the message is one clear line (and SQL, where that helps). */
export class DatabaseRefusal extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'DatabaseRefusal';
  }
}
