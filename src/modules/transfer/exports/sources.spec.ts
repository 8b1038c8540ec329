import { explorerOf } from '../../../../test/support/providers';
import { ManualClock } from '../../../common/time';
import {
  type ExportPages,
  TENANT_LINES,
  TenantExport,
  type TenantLine,
  USER_LINES,
  UserExport,
} from '../../../platform/tenant-data';
import { ExportSources } from './sources';

function sourceOf(kind: TenantLine): object {
  class Source {
    @TenantExport(kind)
    async *lines(): ExportPages {
      yield await Promise.resolve([]);
    }
  }
  return new Source();
}

const ofUser = USER_LINES.map((kind) => {
  class Source {
    @UserExport(kind)
    async *lines(): ExportPages {
      yield await Promise.resolve([]);
    }
  }
  return new Source();
});

const start = (...kinds: readonly TenantLine[]): void =>
  new ExportSources(explorerOf(...kinds.map(sourceOf), ...ofUser), new ManualClock()).onModuleInit();

describe('the sources of exports', () => {
  it('are one for each kind of line', () => {
    expect(() => start(...TENANT_LINES)).not.toThrow();
  });

  it.each(TENANT_LINES)('let the server not start where that of %s is missing, or is there twice', (kind) => {
    expect(() => start(...TENANT_LINES.filter((other) => other !== kind))).toThrow(`of kind ${kind} `);
    expect(() => start(...TENANT_LINES, kind)).toThrow(`Two sources of lines of kind ${kind}`);
  });
});
