/** ISO 8601 in UTC with `Z` and milliseconds, of a Date or of a time as PostgreSQL's json writes it. */
export function isoTime(value: string | Date): string {
  return (typeof value === 'string' ? new Date(value) : value).toISOString();
}
