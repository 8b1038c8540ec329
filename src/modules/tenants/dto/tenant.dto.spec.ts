import { LIMIT_DEFAULTS, SETTING_DEFAULTS } from '../../../platform/auth';
import { Validator } from '../../../platform/validation';
import { LimitsDto, SettingsDto } from './tenant.dto';

describe('what a tenant can be given', () => {
  const namesOf = (type: new () => object): string[] => Object.keys(new Validator().prepare(type).properties).sort();

  it('limits, each with a default', () => {
    expect(namesOf(LimitsDto)).toEqual(Object.keys(LIMIT_DEFAULTS).sort());
  });

  it('settings, each with a default; the webhook has a table of its own', () => {
    expect(namesOf(SettingsDto)).toEqual([...Object.keys(SETTING_DEFAULTS), 'webhook'].sort());
  });
});
