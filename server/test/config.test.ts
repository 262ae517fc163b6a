import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig } from '../config.js';

function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    readConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('The configuration', () => {
  it('needs nothing: an own PostgreSQL in ./data, on the loopback address', () => {
    expect(readConfig({})).toMatchObject({ production: false, host: '127.0.0.1', port: 8080, databaseUrl: null, dataFolder: './data', tls: null, trustProxy: false });
  });

  it('tells every problem at once, each with the variable and what to do', () => {
    const problems = problemsOf({ PORT: '80a', POOL_SIZE: '1', LOG_LEVEL: 'loud', DATABASE_URL: 'mysql://u:geheim@h/d', TRUST_PROXY: 'yes', TLS_CERT: 'c.pem', JWT_ISSUER: 'me', CORS_ORIGINS: 'example.org' });
    for (const name of ['PORT', 'POOL_SIZE', 'LOG_LEVEL', 'DATABASE_URL', 'TRUST_PROXY', 'TLS_KEY', 'JWT_JWKS_URL', 'JWT_AUDIENCE', 'CORS_ORIGINS']) {
      expect(problems.filter((problem) => problem.startsWith(name))).toHaveLength(1);
    }
    expect(problems[0]).toBe('PORT (the port to listen on; 0 takes a free one) is "80a"; give a whole number from 0 to 65535, or leave it out for 8080.');
  });

  it('never repeats a URL that may carry a password', () => {
    expect(problemsOf({ DATABASE_URL: 'mysql://u:geheim@h/d', REDIS_URL: 'http://u:geheim@h' }).join()).not.toContain('geheim');
    expect(problemsOf({ REDIS_URL: 'http://u:geheim@h' })).toHaveLength(1);
    expect(problemsOf({ REDIS_URL: 'redis://u:geheim@h/main' })).toEqual(['REDIS_URL (the Redis that several nodes share) names a database that is not a number; give one as in redis://localhost:6379/0, or none.']);
    expect(readConfig({ REDIS_URL: 'redis://h:1/3' }).redisUrl).toBe('redis://h:1/3');
  });

  it('is explained in .env.example and handed on by docker-compose.yml, every variable of it', () => {
    const read = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
    const asked = [...read('server/config.ts').matchAll(/(?:text|whole|flag|oneOf|url)\('([A-Z_]+)'/g)].map(([, name]) => name ?? '');
    const jwt = ['JWT_JWKS_URL', 'JWT_ISSUER', 'JWT_AUDIENCE', 'JWT_ROLES_CLAIM', 'JWT_CREATES_TOKENS'];
    const explained = [...read('.env.example').matchAll(/^(?:# )?([A-Z_]+)=/gm)].map(([, name]) => name ?? '');
    expect(new Set(explained)).toEqual(new Set([...asked, ...jwt, 'POSTGRES_PASSWORD', 'NODE_EXTRA_CA_CERTS']));
    const composed = [...read('docker-compose.yml').matchAll(/^ {6}([A-Z_]+):/gm)].map(([, name]) => name ?? '');
    const setByTheImage = ['NODE_ENV', 'HOST', 'PORT', 'CONCORD_DATA', 'LOG_PRETTY'];
    expect(composed).toContain('NODE_EXTRA_CA_CERTS');
    for (const name of asked) if (!setByTheImage.includes(name)) expect(composed).toContain(name);
  });

  it('refuses limits under which a full push would never be taken', () => {
    expect(problemsOf({ RATE_EDITS: '100', RATE_EDITS_BURST: '200' })).toEqual([expect.stringMatching(/^RATE_EDITS_BURST .* is 200, less than the 500 of LIMIT_PUSH_PATCHES/)]);
    expect(problemsOf({ RATE_EDITS: '0', RATE_EDITS_BURST: '1' })).toEqual([]);
  });

  it('takes an empty variable for an unset one', () => {
    expect(readConfig({ PORT: '', DATABASE_URL: ' ' })).toMatchObject({ port: 8080, databaseUrl: null });
  });

  it('refuses plain HTTP in production and says both ways out', () => {
    const [problem] = problemsOf({ NODE_ENV: 'production' });
    expect(problem).toMatch(/^NODE_ENV=production refuses plain HTTP/);
    expect(problem).toContain('TLS_CERT and TLS_KEY');
    expect(problem).toContain('TRUST_PROXY=1');
    expect(readConfig({ NODE_ENV: 'production', TRUST_PROXY: '1' }).trustProxy).toBe(true);
    expect(readConfig({ NODE_ENV: 'production', TLS_CERT: 'c.pem', TLS_KEY: 'k.pem' }).tls).toEqual({ certFile: 'c.pem', keyFile: 'k.pem' });
  });
});
