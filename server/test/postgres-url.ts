/** Where the PostgreSQL of the test run listens: a database in which others may be created. */
export function postgresUrl(): string {
  const url = process.env['CONCORD_TEST_POSTGRES'];
  if (url === undefined) throw new Error('CONCORD_TEST_POSTGRES names no PostgreSQL; the global setup of the tests starts one and sets it');
  return url;
}
