import { dataUrl, IMAGES, PNG, PNG_URL } from '../../../test/support/images';
import { imageOfUrl, imagePlace, imagePlacesIn } from './images';

const kinds = Object.entries(IMAGES);

function fault(url: string): string {
  try {
    imageOfUrl(url, 'parts[0]');
  } catch (error) {
    expect(error).toMatchObject({ code: 'VALIDATION_ERROR', field: 'parts[0]' });
    return (error as Error).message;
  }
  return 'none';
}

describe('an image of a user', () => {
  it.each(kinds)('%s is known by its first bytes, whatever its URL calls it', (mediaType, make) => {
    const bytes = make(300, 250);
    for (const called of ['image/png', mediaType])
      expect(imageOfUrl(dataUrl(bytes, called), 'f')).toEqual({
        mediaType,
        base64: bytes.toString('base64'),
        tokens: 100,
      });
  });

  it('counts as its pixels, up to what providers count', () => {
    const tokens = [1, 30, 1000, 6000].map((side) => imageOfUrl(dataUrl(IMAGES['image/png'](side, side)), 'f').tokens);
    expect(tokens).toEqual([1, 2, 1334, 1600]);
  });

  it.each([
    ['https://example.com/a.png', 'nothing is fetched'],
    ['http://169.254.169.254/latest', 'nothing is fetched'],
    ['file:///etc/passwd', 'nothing is fetched'],
    ['', 'nothing is fetched'],
    [`data:image/svg+xml;base64,${Buffer.from('<svg/>').toString('base64')}`, 'must be a data URL of an image'],
    [PNG_URL.replace('base64', 'utf8'), 'must be a data URL of an image'],
    [PNG_URL.replace('data:', 'DATA:'), 'nothing is fetched'],
    ['data:image/png;base64,', 'no base64'],
    [`${PNG_URL} `, 'no base64'],
    [`${PNG_URL}!`, 'no base64'],
    [dataUrl(Buffer.from('<svg width="9" height="9"/>')), 'is no image'],
    [dataUrl(Buffer.from('%PDF-1.7')), 'is no image'],
    [dataUrl(Buffer.from('RIFF1234WEBP<svg viewBox="0 0 a b">')), 'is no image'],
    [dataUrl(PNG.subarray(0, 12)), 'is no image'],
    [dataUrl(IMAGES['image/png'](0, 20)), 'is no image'],
  ])('%s is refused', (url, message) => {
    expect(fault(url)).toContain(message);
  });

  it.each(kinds)('of the kind %s has at most 40 megapixels and 5 MB', (_, make) => {
    expect(fault(dataUrl(make(8000, 5000)))).toBe('none');
    expect(fault(dataUrl(make(8000, 5001)))).toContain('40 megapixels');
    const most = 5 * 1024 * 1024;
    const head = make(10, 10);
    expect(fault(dataUrl(Buffer.concat([head, Buffer.alloc(most - head.length)])))).toBe('none');
    expect(fault(dataUrl(Buffer.concat([head, Buffer.alloc(most + 1 - head.length)])))).toContain('5 MB');
  });
});

describe('the place of an image in a text', () => {
  it.each([
    ['cat.png', '[image: cat.png]'],
    ['a]b[c\nd', '[image: a b c d]'],
    [' \u202e\u0000 ', '[image: unnamed]'],
    ['x'.repeat(101), `[image: ${'x'.repeat(100)}]`],
    ['x'.repeat(8_000_000), `[image: ${'x'.repeat(100)}]`],
    ['🚀'.repeat(101), `[image: ${'🚀'.repeat(100)}]`],
  ])('%.40j is %.40j, and is found', (name, place) => {
    expect(imagePlace(name)).toBe(place);
    expect(imagePlacesIn(`see ${imagePlace(name)}${imagePlace('b')}.`)).toBe(2);
  });

  it('is none that is no place', () => {
    expect(imagePlacesIn('[image] [image: \n] image: x] [image: ')).toBe(0);
  });
});
