import { defineConfig, mergeConfig } from 'vitest/config';
import base from '../../vitest.config.js';

/** The tests of the C library, run by c/test.mjs after the build: they need its programs. */
const config = mergeConfig(base, defineConfig({}));
config.test = { ...config.test, include: ['c/test/*.test.ts'], fileParallelism: false };
export default config;
