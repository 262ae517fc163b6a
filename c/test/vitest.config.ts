import base from '../../vitest.config.js';

/** The tests of the C library, run by c/test.mjs after the build: they need its programs. */
export default { ...base, test: { ...base.test, include: ['c/test/*.test.ts'], fileParallelism: false, expect: { poll: { timeout: 10_000 } } } };
