import { invalid } from '../../common/errors';
import { httpUrl } from '../../common/http-url';
import { isAllowedAddress } from './addresses';
import { targetOf } from './connect';

/**
 * The URL that a tenant gave, as it will be asked for: http or https, without credentials and fragment. Throws 400 that
 * names the field, also where its host is an address that may not be connected to; a name is checked whenever it is
 * resolved.
 */
export function publicUrl(text: string, field: string, allowPrivate: boolean): URL {
  const url = httpUrl(text);
  if (url === undefined)
    throw invalid(
      field,
      `${field} must be an http or https URL such as https://example.com:8443/path: without credentials, blanks, backslashes and escapes in the host`,
    );
  const { address } = targetOf(url);
  if (address !== undefined && !isAllowedAddress(address, allowPrivate))
    throw invalid(field, `${field} must not lead to a private or reserved address`);
  url.hash = '';
  return url;
}
