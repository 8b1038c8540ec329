import { explorerOf } from '../../../test/support/providers';
import { markClass, markMethod } from '.';

const MARK = Symbol('@Mark');

class Base {
  readonly word: string = 'base';

  say(): string {
    return this.word;
  }
}
markMethod(MARK, 1)({ value: Reflect.get(Base.prototype, 'say') });
markClass(MARK, 'a base')(Base);

class Derived extends Base {
  override readonly word = 'derived';
}

describe('the explorer', () => {
  it('finds what is inherited of methods, and of classes their own marks alone; each provider once', () => {
    const [base, derived] = [new Base(), new Derived()];
    const explorer = explorerOf(base, base, derived, { word: 'a value' }, Object.create(null) as object);
    const methods = explorer.methods<number>(MARK);
    expect(methods.map(({ name, method, options }) => [name, method, options])).toEqual([
      ['Base', 'say', 1],
      ['Derived', 'say', 1],
    ]);
    expect(methods.map(({ call }) => call())).toEqual(['base', 'derived']);
    expect(explorer.classes<string, Base>(MARK)).toEqual([{ options: 'a base', provider: base, name: 'Base' }]);
  });

  it('two marks of a kind are refused where they stand', () => {
    expect(() => markClass(MARK, 'again')(Base)).toThrow('Base has two marks of one kind (@Mark)');
  });
});
