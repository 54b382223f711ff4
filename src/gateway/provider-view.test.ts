import { describe, expect, it } from 'vitest'
import { providerSettings } from '../../test/support/tokens.ts'
import type { IntrospectionSettings } from '../engine/authenticators/introspection/settings.ts'
import { Secret } from '../engine/secret.ts'
import { createProvider, type Provider } from '../remote/provider.ts'
import { secretsOf } from './provider-clients.ts'
import { viewOfProvider, type ClientView } from './provider-view.ts'

const hour = 3_600_000
const now = 1_800_000_000_000

function opaque(...secrets: readonly string[]): IntrospectionSettings {
  return {
    type: 'introspection',
    name: 'opaque',
    in: [],
    provider: 'corp',
    audience: 'any',
    client: { id: 'gw', method: 'secret', secrets: secrets.map((each) => new Secret(each)) },
    cacheFor: 0,
    staleFor: 0,
    requiresSigned: false,
    binding: { mode: 'none', dpop: { nonce: false, window: 60_000 } },
  }
}

function open(): Provider {
  return createProvider(providerSettings(), { clock: { now: () => now }, prefetch: false })
}

function viewOf(provider: Provider, settings: IntrospectionSettings): ClientView | undefined {
  const view = viewOfProvider(provider, { authenticators: { opaque: settings }, routes: [] }, now)
  return view.clients[0]
}

describe('a rotation of client secrets', () => {
  it.each<[string, number | undefined, number | undefined, ClientView['stage']]>([
    ['none was taken yet', undefined, undefined, 'new'],
    ['only the old one is taken', 1, now, 'new'],
    ['the new one is taken, an old one was a moment ago', 0, now - 1, 'both'],
    ['the new one is taken, the old ones are silent', 0, now - hour, 'draining'],
    ['the new one is taken from the start', 0, undefined, 'draining'],
  ])('%s', (_what, working, oldUsedAt, stage) => {
    const provider = open()
    const settings = opaque('new', 'old')
    if (working !== undefined)
      provider.secrets.note(secretsOf(settings.client), { count: 2, working, oldUsedAt })
    expect(viewOf(provider, settings)).toMatchObject({ secrets: 2, stage })
  })

  it('begins anew with another list, and is over with one secret', () => {
    const provider = open()
    provider.secrets.note(secretsOf(opaque('new', 'old').client), { count: 2, working: 0, oldUsedAt: now })
    expect(viewOf(provider, opaque('newer', 'new'))).toEqual({
      id: 'gw',
      method: 'secret',
      secrets: 2,
      stage: 'new',
    })
    expect(viewOf(provider, opaque('new'))).toEqual({ id: 'gw', method: 'secret', secrets: 1 })
  })

  it('tells the latest use of an old one, whichever part it was', () => {
    const provider = open()
    const settings = opaque('new', 'old')
    provider.secrets.note(secretsOf(settings.client), { count: 2, working: 1, oldUsedAt: now - 5_000 })
    provider.secrets.note(secretsOf(settings.client), { count: 2, working: 0, oldUsedAt: undefined })
    expect(viewOf(provider, settings)).toMatchObject({
      working: 1,
      oldSecretLastUsedAt: new Date(now - 5_000).toISOString().replace('.000Z', 'Z'),
      stage: 'both',
    })
  })

  it('names no secret, not even by a digest', () => {
    const provider = open()
    const view = viewOfProvider(provider, { authenticators: { opaque: opaque('hunter2') }, routes: [] }, now)
    expect(JSON.stringify(view)).not.toContain('hunter2')
  })
})
