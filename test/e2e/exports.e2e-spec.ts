import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { ended, exported, exportPath, fileAt } from '../support/exports';

describe('exports', () => {
  let app: TestApp;
  let tenant: TestTenant;
  beforeAll(async () => {
    app = await startTestApp();
    tenant = await app.tenant();
  });
  afterAll(() => app.close());

  it('smoke', async () => {
    const file = await exported(tenant.key, tenant);
    console.log(JSON.stringify(file, null, 1));
    expect(file.end['sha256']).toBe(file.sha256);
    void ended;
    void exportPath;
    void fileAt;
  });
});
