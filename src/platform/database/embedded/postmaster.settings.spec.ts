import { postgresArguments } from './postmaster';

describe('postgresArguments', () => {
  it('is durable, silent about content, and off the network', () => {
    const args = postgresArguments('/data/postgres', '/tmp/chatapi-x', {});
    expect(args.slice(0, 4)).toEqual(['-D', '/data/postgres', '-k', '"/tmp/chatapi-x"']);
    for (const setting of [
      ...['fsync=on', 'full_page_writes=on', 'synchronous_commit=on', 'listen_addresses='],
      ...['log_min_messages=log', 'log_min_error_statement=panic', 'log_error_verbosity=terse', 'log_statement=none'],
    ]) {
      expect(args).toContain(setting);
    }
  });

  it('lets tests replace a setting, and quotes the socket directory', () => {
    const args = postgresArguments('/d', '/tmp/a,"b"', { fsync: 'off', work_mem: '8MB' });
    expect(args).toContain('fsync=off');
    expect(args).not.toContain('fsync=on');
    expect(args).toContain('work_mem=8MB');
    expect(args[3]).toBe('"/tmp/a,""b"""');
  });
});
