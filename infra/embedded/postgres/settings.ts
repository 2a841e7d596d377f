/** What the server is told on its command line: nothing is stored in the cluster, so a new release brings its own. */
export type Settings = Readonly<{ clusterDir: string; socketDir: string; port: number; durable: boolean }>;

const quoted = (path: string): string => `"${path.replaceAll('"', '""')}"`;

/** The server's arguments: Unix socket only, durable, sized for a small machine, and no personal data in its log. */
export const serverArguments = ({ clusterDir, socketDir, port, durable }: Settings): readonly string[] => {
  const settings: Record<string, string | number> = {
    listen_addresses: '',
    unix_socket_directories: quoted(socketDir),
    unix_socket_permissions: '0700',
    port,
    max_connections: 100,
    shared_buffers: '128MB',
    fsync: durable ? 'on' : 'off',
    synchronous_commit: durable ? 'on' : 'off',
    full_page_writes: durable ? 'on' : 'off',
    wal_compression: 'on',
    jit: 'off',
    TimeZone: 'UTC',
    log_timezone: 'UTC',
    log_destination: 'stderr',
    logging_collector: 'off',
    log_line_prefix: '%m [%p] %q%u@%d ',
    // The text of a failed statement and the DETAIL of its error can hold what users wrote.
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
  };
  return ['-D', clusterDir, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
};
