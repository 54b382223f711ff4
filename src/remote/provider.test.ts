/** A configured provider against a real server on loopback: away, slow, rotating, moving, answering rubbish. */
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { selfSign } from '../../test/support/certificate.ts'
import { json, serveLoopback, type Handler, type LoopbackServer } from '../../test/support/loopback-server.ts'
import { createSigner, providerSettings, type Json } from '../../test/support/tokens.ts'
import type { ProviderSettings } from '../configuration.ts'
import type { KeyLookup } from '../ports/key-sets.ts'
import type { RefreshOutcome } from './jwks.ts'
import { createProvider, type Provider } from './provider.ts'

const a = createSigner('ES256', 'a')
const b = createSigner('ES256', 'b')
const clock = { now: (): number => Date.now() }
const closers: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function serve(
  handler: Handler,
  port = 0,
  tls?: Parameters<typeof serveLoopback>[2],
): Promise<LoopbackServer> {
  const server = await serveLoopback(handler, port, tls)
  closers.push(() => server.close().catch(() => undefined))
  return server
}

interface Watched extends Provider {
  /** Resolves with the outcome of the next fetch that ends. */
  nextRefresh(): Promise<RefreshOutcome>
}

function provide(
  settings: Partial<ProviderSettings>,
  options: { prefetch?: boolean; hurry?: boolean } = {},
): Watched {
  const watchers: ((outcome: RefreshOutcome) => void)[] = []
  const provider = createProvider(providerSettings(settings), {
    clock,
    ...(options.prefetch === undefined ? {} : { prefetch: options.prefetch }),
    onRefresh: (outcome) => {
      for (const watcher of watchers.splice(0)) watcher(outcome)
    },
    // Planned fetches come soon, so that no test waits for a real back-off.
    schedule: (delay, task) => {
      const timer = setTimeout(task, options.hurry === true ? Math.min(delay, 20) : delay)
      return () => clearTimeout(timer)
    },
  })
  closers.push(() => provider.close())
  return { ...provider, nextRefresh: () => new Promise((resolve) => void watchers.push(resolve)) }
}

const find = async (provider: Provider, kid: string): Promise<string> => {
  const found: KeyLookup = await provider.keySet.find({ kid, alg: 'ES256' })
  return found.outcome
}

/** Metadata at the usual place, keys at /jwks. */
function openid(keys: () => readonly Json[], server: () => LoopbackServer): Handler {
  return (request, response) => {
    const { origin } = server()
    if (request.url === '/.well-known/openid-configuration') {
      json({ issuer: origin, jwks_uri: `${origin}/jwks`, token_endpoint: `${origin}/token` })(
        request,
        response,
      )
    } else if (request.url === '/jwks') json({ keys: keys() })(request, response)
    else json({}, {}, 404)(request, response)
  }
}

async function openidServer(keys: () => readonly Json[], port = 0): Promise<LoopbackServer> {
  const server: LoopbackServer = await serve(
    openid(keys, () => server),
    port,
  )
  return server
}

describe('a provider with discovery', () => {
  it('fetches metadata and keys in the background, before anybody asks', async () => {
    const server = await openidServer(() => [a.jwk])
    const provider = provide({ discovery: true, parameters: { issuer: server.origin } })
    expect(await provider.nextRefresh()).toBe('success')
    expect(server.asked).toEqual(['/.well-known/openid-configuration', '/jwks'])
    expect(await find(provider, 'a')).toBe('found')
    expect(await provider.endpoints()).toEqual({
      jwks: `${server.origin}/jwks`,
      token: `${server.origin}/token`,
    })
    expect(provider.report()).toMatchObject({ name: 'corp', issuer: server.origin, state: 'fresh' })
    expect(server.asked).toHaveLength(2)
  })

  it('lets an explicit endpoint win, and then needs no metadata for its keys', async () => {
    const keys = await serve(json({ keys: [b.jwk] }))
    const server = await openidServer(() => [a.jwk])
    const provider = provide({
      discovery: true,
      parameters: { issuer: server.origin },
      endpoints: { jwks: `${keys.origin}/mine` },
    })
    expect(await find(provider, 'b')).toBe('found')
    expect(server.asked).toEqual([])
    expect((await provider.endpoints()).jwks).toBe(`${keys.origin}/mine`)
    expect((await provider.endpoints()).token).toBe(`${server.origin}/token`)
  })

  it('reports a foreign issuer, and has no keys then', async () => {
    const server = await serve((request, response) =>
      json({ issuer: 'https://evil.example', jwks_uri: 'https://evil.example/' })(request, response),
    )
    const provider = provide({ discovery: true, parameters: { issuer: server.origin } })
    expect(await find(provider, 'a')).toBe('unavailable')
    expect(provider.report().lastError).toMatch(/another issuer/)
  })

  it('finds the keys again after they moved', async () => {
    let path = '/jwks'
    const server: LoopbackServer = await serve((request, response) => {
      if (request.url === '/.well-known/openid-configuration') {
        json({ issuer: server.origin, jwks_uri: server.origin + path }, { 'cache-control': 'max-age=3600' })(
          request,
          response,
        )
      } else json({ keys: [a.jwk] }, {}, request.url === path ? 200 : 404)(request, response)
    })
    const provider = provide({ discovery: true, parameters: { issuer: server.origin } }, { hurry: true })
    expect(await provider.nextRefresh()).toBe('success')
    path = '/moved'
    expect(await provider.nextRefresh()).toBe('failure')
    expect(await provider.nextRefresh()).toBe('unchanged')
    expect(server.asked.at(-1)).toBe('/moved')
  })
})

describe('a provider without discovery', () => {
  it('fetches its keys from the explicit address', async () => {
    const server = await serve(json({ keys: [a.jwk] }))
    const provider = provide({ endpoints: { jwks: `${server.origin}/keys` } })
    expect(await find(provider, 'a')).toBe('found')
    expect(server.asked).toEqual(['/keys'])
  })

  it('uses the address that its profile knows', async () => {
    const server = await serve(json({ keys: [a.jwk] }))
    const provider = provide({ type: 'keycloak', parameters: { url: server.origin, realm: 'main' } })
    expect(await find(provider, 'a')).toBe('found')
    expect(server.asked).toEqual(['/realms/main/protocol/openid-connect/certs'])
  })

  it('says what is missing when there is no address at all', async () => {
    const provider = provide({ discovery: false })
    expect(await find(provider, 'a')).toBe('unavailable')
    expect(provider.report().lastError).toMatch(/jwks/)
  })

  it('of HMAC tokens only asks nobody anything', async () => {
    const server = await serve(json({ keys: [a.jwk] }))
    const provider = provide({ endpoints: { jwks: server.origin } }, { prefetch: false })
    expect(provider.report().state).toBe('unfetched')
    expect(server.asked).toEqual([])
  })
})

describe('a provider that is away', () => {
  it('at the start is used as soon as it is back', async () => {
    const gone = await openidServer(() => [a.jwk])
    await gone.close()
    const provider = provide({ discovery: true, parameters: { issuer: gone.origin } }, { hurry: true })
    expect(await find(provider, 'a')).toBe('unavailable')
    const lookup = await provider.keySet.find({ kid: 'a', alg: 'ES256' })
    expect(lookup.outcome === 'unavailable' ? lookup.retryAfter : 0).toBeGreaterThanOrEqual(1_000)
    expect(provider.report()).toMatchObject({ state: 'unavailable' })
    expect(provider.report().lastError).toMatch(/ECONNREFUSED/)
    await openidServer(() => [a.jwk], gone.port)
    for (let turn = 0; turn < 50 && (await provider.nextRefresh()) !== 'success'; turn += 1);
    expect(await find(provider, 'a')).toBe('found')
  })

  it('later leaves its known keys in use, and answers nothing about others', async () => {
    const server = await openidServer(() => [a.jwk])
    const provider = provide({ discovery: true, parameters: { issuer: server.origin } })
    await provider.nextRefresh()
    await server.close()
    expect(await provider.refresh()).toBe('failure')
    expect(await find(provider, 'a')).toBe('found')
    expect(await find(provider, 'b')).toBe('unavailable')
    expect(provider.report()).toMatchObject({ state: 'fresh' })
  })

  it('hanging holds the first requests no longer than a fetch may take', async () => {
    const server = createServer(() => undefined)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    closers.push(() => server.close())
    const { port } = server.address() as { port: number }
    const provider = provide({ endpoints: { jwks: `http://127.0.0.1:${port}/` } })
    const began = performance.now()
    expect(await Promise.all([find(provider, 'a'), find(provider, 'a')])).toEqual([
      'unavailable',
      'unavailable',
    ])
    expect(performance.now() - began).toBeLessThan(8_000)
    expect(provider.report().lastError).toMatch(/in time/)
    const again = performance.now()
    expect(await find(provider, 'a')).toBe('unavailable')
    expect(performance.now() - again).toBeLessThan(100)
  })

  it('slow is waited for', async () => {
    const server = await serve((request, response) => {
      setTimeout(() => json({ keys: [a.jwk] })(request, response), 300)
    })
    const provider = provide({ endpoints: { jwks: server.origin } })
    expect(await Promise.all(['a', 'a', 'a'].map((kid) => find(provider, kid)))).toEqual([
      'found',
      'found',
      'found',
    ])
    expect(server.asked).toHaveLength(1)
  })
})

describe('a provider that answers', () => {
  it.each<[string, Handler, RegExp]>([
    ['HTML', (_request, response) => void response.end('<html>'), /not JSON/],
    [
      'an enormous set',
      (_request, response) => void response.end(`{"keys":[],"x":"${'x'.repeat(300_000)}"}`),
      /larger/,
    ],
    [
      'a redirect elsewhere',
      (_request, response) => void response.writeHead(302, { location: 'https://evil.example/' }).end(),
      /another origin/,
    ],
    ['an empty set', json({ keys: [] }), /no key/],
    [
      'half an answer',
      (_request, response) => {
        response.writeHead(200, { 'content-length': '100' })
        response.write('{"keys":')
        setTimeout(() => response.destroy(), 10)
      },
      /cannot be reached/,
    ],
  ])('%s keeps the keys that were there', async (_what, handler, message) => {
    const server = await serve(json({ keys: [a.jwk] }))
    const provider = provide({ endpoints: { jwks: server.origin } })
    await provider.nextRefresh()
    server.handler = handler
    expect(await provider.refresh()).toBe('failure')
    expect(provider.report().lastError).toMatch(message)
    expect(await find(provider, 'a')).toBe('found')
  })

  it('new keys, for which an unknown kid asks at once', async () => {
    let keys = [a.jwk]
    const server = await serve((request, response) => json({ keys })(request, response))
    const provider = provide({ endpoints: { jwks: server.origin } })
    await provider.nextRefresh()
    keys = [b.jwk]
    expect(await Promise.all(Array.from({ length: 20 }, () => find(provider, 'b')))).toEqual(
      Array(20).fill('found'),
    )
    expect(server.asked).toHaveLength(2)
    expect(await find(provider, 'a')).toBe('unknown')
  })

  it('a flood of strange kids is asked once', async () => {
    const server = await serve(json({ keys: [a.jwk] }))
    const provider = provide({ endpoints: { jwks: server.origin } })
    await provider.nextRefresh()
    for (let round = 0; round < 20; round += 1) {
      const kids = Array.from({ length: 50 }, (_, n) => `strange-${round}-${n}`)
      expect(new Set(await Promise.all(kids.map((kid) => find(provider, kid))))).toEqual(new Set(['unknown']))
    }
    expect(server.asked).toHaveLength(2)
  })
})

it('its own authority is read from the file, anew for each fetch', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-provider-'))
  closers.push(() => rm(folder, { recursive: true }))
  const ca = join(folder, 'ca.pem')
  await writeFile(ca, selfSign().certificate)
  const { certificate, key } = selfSign()
  const server = await serve(json({ keys: [a.jwk] }), 0, { cert: certificate, key })
  const provider = provide({ endpoints: { jwks: server.origin }, ca })
  expect(await find(provider, 'a')).toBe('unavailable')
  await writeFile(ca, certificate)
  expect(await provider.refresh()).toBe('success')
  await rm(ca)
  expect(await provider.refresh()).toBe('failure')
  expect(await find(provider, 'a')).toBe('found')
})

it('closing it stops the fetching and leaves the known keys to requests in flight', async () => {
  const server = await serve(json({ keys: [a.jwk] }))
  const provider = provide({ endpoints: { jwks: server.origin } }, { hurry: true })
  await provider.nextRefresh()
  provider.close()
  const { length } = server.asked
  await new Promise((resolve) => void setTimeout(resolve, 80))
  expect(server.asked).toHaveLength(length)
  expect(await find(provider, 'a')).toBe('found')
})
