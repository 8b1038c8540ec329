import { inline, markdown } from './page';

describe('S28: the texts of the documents as HTML', () => {
  it.each([
    ['plain & <b>"text"</b>', 'plain &amp; &lt;b&gt;&quot;text&quot;&lt;/b&gt;'],
    ['`{"a":"<b>"}` is **code**', '<code>{&quot;a&quot;:&quot;&lt;b&gt;&quot;}</code> is <strong>code</strong>'],
    ['`**not bold**` and `[no](/link)`', '<code>**not bold**</code> and <code>[no](/link)</code>'],
    [
      '[here](/docs/ws) and [there](https://a.test/x?y=1)',
      '<a href="/docs/ws">here</a> and <a href="https://a.test/x?y=1">there</a>',
    ],
    ['[no](javascript:alert(1)) [no](data:x) [no](//x y)', '[no](javascript:alert(1)) [no](data:x) [no](//x y)'],
    ['[x](/a"onclick="b)', '<a href="/a&quot;onclick=&quot;b">x</a>'],
    ['a lone ` and ** stay', 'a lone ` and ** stay'],
  ])('%s', (text, html) => {
    expect(inline(text)).toBe(html);
  });

  it('are paragraphs and tables', () => {
    const html = markdown('one\n\n| Code | Then |\n| --- | --- |\n| `1009` | go & stay |\n\ntwo');
    expect(html).toBe(
      '<p>one</p>\n<div class="wide"><table><thead><tr><th>Code</th><th>Then</th></tr></thead><tbody>' +
        '<tr><td><code>1009</code></td><td>go &amp; stay</td></tr></tbody></table></div>\n<p>two</p>',
    );
  });
});
