/** All people of the page, and the frames of all of them. */
import { Changes } from '../../socket';
import { givenToken, type Kept, keep, MintedTokens, type TokenSource } from './credentials';
import { FrameLog } from './frame-log';
import { Person } from './person';

export const MOST_PEOPLE = 4;

/** Once for all that changed until the next frame is painted: 500 frames a second are 60 renderings. */
const atNextPaint = (run: () => void): void => {
  requestAnimationFrame(run);
};

export class PlaygroundStore {
  readonly changes = new Changes(atNextPaint);
  readonly frames = new FrameLog(atNextPaint);
  people: readonly Person[] = [];
  private readonly tokens: string[] = [];

  private constructor(private readonly key: string | undefined) {}

  /** Rejects where the server refuses the key or a token. */
  static async open(given: Kept): Promise<PlaygroundStore> {
    const store = new PlaygroundStore(given.kind === 'key' ? given.key : undefined);
    for (const one of given.kind === 'key' ? given.people : given.tokens) await store.add(one);
    return store;
  }

  get mintsTokens(): boolean {
    return this.key !== undefined;
  }

  /** @param given a user id, where tokens are minted; else a token. Rejects where the server refuses it */
  async add(given: string): Promise<void> {
    const source = await this.sourceOf(given);
    if (this.people.some(({ userId }) => userId === source.userId))
      throw new Error(`${source.userId} is here already.`);
    const person = new Person(source, this.frames, atNextPaint);
    this.people = [...this.people, person];
    if (this.key === undefined) this.tokens.push(given);
    this.keep();
    this.changes.tell();
    void person.start();
  }

  remove(person: Person): void {
    person.leave();
    this.tokens.splice(this.people.indexOf(person), 1);
    this.people = this.people.filter((other) => other !== person);
    this.keep();
    this.changes.tell();
  }

  close(): void {
    for (const person of this.people) person.leave();
    keep(undefined);
  }

  private async sourceOf(given: string): Promise<TokenSource> {
    if (this.key === undefined) return givenToken(given);
    const source = new MintedTokens(this.key, given);
    await source.userToken(false);
    return source;
  }

  private keep(): void {
    const people = this.people.map(({ userId }) => userId);
    keep(this.key === undefined ? { kind: 'tokens', tokens: this.tokens } : { kind: 'key', key: this.key, people });
  }
}
