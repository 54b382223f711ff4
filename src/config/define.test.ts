import { describe, expect, expectTypeOf, it } from 'vitest'
import { defineConfig } from './define.ts'
import type { AuthenticatorInput, ConfigurationInput } from './input.ts'

describe('the type of a TypeScript configuration', () => {
  it('takes what the schema takes', () => {
    const configuration = defineConfig({
      version: 1,
      publicUrl: ['https://api.example.com'],
      listeners: [{ address: '127.0.0.1:8080', tls: undefined }],
      audit: 'off',
      providers: { corp: { type: 'entra', tenant: 'common', clockSkew: '30s' } },
      authenticators: {
        token: { type: 'jwt', provider: 'corp', audience: 'any' },
        keys: { type: 'api-key', in: [{ query: 'key' }] },
      },
      upstreams: {
        catalog: { targets: ['http://127.0.0.1:7001', { url: 'http://127.0.0.1:7002', weight: 2 }] },
      },
      routes: [
        {
          id: 'a',
          match: { path: '/a/*', methods: ['GET'] },
          authenticate: { optional: ['token'] },
          authorize: { claims: { level: [1, 'x', true] } },
          rateLimit: [{ limit: '100/1m' }],
          forward: { headers: { subject: 'X-User' } },
          upstream: 'catalog',
        },
      ],
    })
    expect(configuration.version).toBe(1)
  })

  it('refuses unknown keys and values', () => {
    expectTypeOf<{ version: 2; routes: [] }>().not.toExtend<ConfigurationInput>()
    expectTypeOf<{ type: 'jtw'; provider: string }>().not.toExtend<AuthenticatorInput>()
    // @ts-expect-error a mistyped key
    defineConfig({ version: 1, routes: [], listners: [] })
  })
})
