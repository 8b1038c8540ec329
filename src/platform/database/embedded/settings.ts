/**
 * Durability is the default of every message that was acknowledged. The log settings keep message content out of
 * postgres.log: statement errors quote values ("invalid input syntax for …"), so ERROR is not logged at all (the
 * application gets it anyway; `log` keeps LOG, FATAL and PANIC), and terse drops DETAIL, where postgres prints keys
 * and the statement of a crashed backend.
 */
const DEFAULTS: Readonly<Record<string, string>> = {
  listen_addresses: '',
  unix_socket_permissions: '0700',
  fsync: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',
  max_connections: '100',
  shared_buffers: '128MB',
  io_method: 'sync',
  wal_level: 'minimal',
  max_wal_senders: '0',
  wal_compression: 'on',
  timezone: 'UTC',
  log_timezone: 'UTC',
  logging_collector: 'off',
  log_destination: 'stderr',
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_statement: 'none',
  log_min_duration_statement: '-1',
  log_min_duration_sample: '-1',
  log_parameter_max_length: '0',
  log_parameter_max_length_on_error: '0',
  log_lock_waits: 'off',
  log_temp_files: '-1',
  log_checkpoints: 'off',
};

export function postgresArguments(
  cluster: string,
  socketDir: string,
  extra: Readonly<Record<string, string>>,
): readonly string[] {
  const settings = Object.entries({ ...DEFAULTS, ...extra });
  // A list of directories to postgres: quoted, or a comma in the path would split it.
  const sockets = `"${socketDir.replaceAll('"', '""')}"`;
  return ['-D', cluster, '-k', sockets, ...settings.flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}
