import { setTimeout as delay } from 'node:timers/promises'
import { lookup, type LookupAddress } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { selfSign } from '../../test/support/certificate.ts'
import { json, serveLoopback, type Handler, type LoopbackServer } from '../../test/support/loopback-server.ts'
import { FetchError, guardedFetch, type FetchOptions } from './guarded-fetch.ts'

const options: FetchOptions = { accept: 'application/json', maxBytes: 1_000, timeout: 2_000 }
const servers: LoopbackServer[] = []

async function serve(handler: Handler): Promise<LoopbackServer> {
  const server = await serveLoopback(handler)
  servers.push(server)
  return server
}

async function faultOf(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt
  } catch (error) {
    if (error instanceof FetchError) return error.fault
    throw error
  }
  return 'none'
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()))
})

describe('a fetch', () => {
  it('gives status, fields and body, and asks for no compression', async () => {
    let asked: unknown
    const server = await serve((request, response) => {
      asked = request.headers
      response.writeHead(404, { 'cache-control': 'max-age=60', 'x-two': ['a', 'b'] })
      response.end('body')
    })
    const answer = await guardedFetch(`${server.origin}/path`, options)
    expect(answer.status).toBe(404)
    expect(answer.headers).toMatchObject({ 'cache-control': 'max-age=60', 'x-two': 'a, b' })
    expect(answer.body.toString()).toBe('body')
    expect(asked).toMatchObject({ accept: 'application/json', 'accept-encoding': 'identity' })
  })

  it('stops at the size bound, declared or streamed', async () => {
    const declared = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': '100000' })
      response.write('x')
    })
    expect(await faultOf(guardedFetch(declared.origin, options))).toBe('too_large')
    let written = 0
    const streamed = await serve((_request, response) => {
      const more = (): void => {
        if (response.destroyed || written > 50_000_000) return
        written += 10_000
        response.write('x'.repeat(10_000), more)
      }
      more()
    })
    expect(await faultOf(guardedFetch(streamed.origin, options))).toBe('too_large')
    expect(written).toBeLessThan(50_000_000)
    const exact = await serve((_request, response) => void response.end('x'.repeat(1_000)))
    expect((await guardedFetch(exact.origin, options)).body).toHaveLength(1_000)
  })

  it('bounds the whole exchange, not each silence: a drip of bytes gains no time', async () => {
    const server = await serve((_request, response) => {
      response.writeHead(200)
      const timer = setInterval(() => void response.write('x'), 20)
      response.on('close', () => clearInterval(timer))
    })
    const began = performance.now()
    expect(await faultOf(guardedFetch(server.origin, { ...options, timeout: 300 }))).toBe('timeout')
    expect(performance.now() - began).toBeLessThan(1_500)
  })

  it('bounds the wait for an answer that never begins, and for a connection that is never made', async () => {
    const silent = await serve(() => undefined)
    expect(await faultOf(guardedFetch(silent.origin, { ...options, timeout: 200 }))).toBe('timeout')
    const unresolved: LookupFunction = () => undefined
    expect(
      await faultOf(guardedFetch('https://name.example/', { ...options, timeout: 200, lookup: unresolved })),
    ).toBe('timeout')
  })

  it('can be given up', async () => {
    const silent = await serve(() => undefined)
    const giveUp = new AbortController()
    const fault = faultOf(guardedFetch(silent.origin, { ...options, signal: giveUp.signal }))
    await delay(20)
    giveUp.abort()
    expect(await fault).toBe('aborted')
  })

  it('says that nobody listens', async () => {
    const server = await serveLoopback(json({}))
    await server.close()
    await expect(guardedFetch(`${server.origin}/keys?token=abc`, options)).rejects.toThrow(
      `${server.origin}/keys cannot be reached (ECONNREFUSED)`,
    )
  })

  it('refuses a compressed answer', async () => {
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' })
      response.end(gzipSync('{}'))
    })
    expect(await faultOf(guardedFetch(server.origin, options))).toBe('encoding_refused')
  })
})

describe('redirects', () => {
  const redirect =
    (location: string, status = 302): Handler =>
    (_request, response) => {
      response.writeHead(status, { location })
      response.end()
    }

  it.each([301, 302, 303, 307, 308])('are followed within the origin (%i)', async (status) => {
    const server = await serve((request, response) => {
      if (request.url === '/end') response.end('here')
      else redirect('/end', status)(request, response)
    })
    expect((await guardedFetch(`${server.origin}/start`, options)).body.toString()).toBe('here')
  })

  it('are followed three times', async () => {
    const server = await serve((request, response) => {
      const hop = Number(request.url?.slice(1))
      if (hop === 0) response.end('here')
      else redirect(`/${hop - 1}`)(request, response)
    })
    expect((await guardedFetch(`${server.origin}/3`, options)).status).toBe(200)
    expect(await faultOf(guardedFetch(`${server.origin}/4`, options))).toBe('redirect_refused')
  })

  it('to anywhere else are refused, and nobody there is asked', async () => {
    const other = await serve(json({}))
    for (const location of [
      `${other.origin}/x`,
      'http://169.254.169.254/latest/meta-data/',
      '//example.com/x',
      'file:///etc/passwd',
      'https://127.0.0.1/',
      'http://user:pass@127.0.0.1/',
      'http://[',
    ]) {
      const server = await serve(redirect(location))
      expect(await faultOf(guardedFetch(server.origin, options))).toBe('redirect_refused')
    }
    expect(other.asked).toEqual([])
  })
})

describe('a URL', () => {
  it.each([
    ['plain http off loopback', 'http://idp.example/'],
    ['another scheme', 'ftp://127.0.0.1/'],
    ['data', 'data:application/json,{}'],
    ['a password', 'https://user:secret@idp.example/'],
    ['nothing at all', 'idp'],
  ])('is refused with %s', async (_what, url) => {
    expect(await faultOf(guardedFetch(url, options))).toBe('url_refused')
  })

  it.each([
    'https://169.254.169.254/',
    'https://[fe80::1]/',
    'https://[fd00:ec2::254]/',
    'https://[::ffff:169.254.169.254]/',
    'https://100.100.100.200/',
    'https://2852039166/',
  ])('is refused where it names a metadata address: %s', async (url) => {
    expect(await faultOf(guardedFetch(url, options))).toBe('address_refused')
  })

  it('may be plain http off loopback, or name such an address itself, only with allowInsecure', async () => {
    const near: LookupFunction = (_name, asked, callback) => answerWith(['127.0.0.1'], asked.all, callback)
    const server = await serve(json({ ok: true }))
    const url = `http://idp.example:${server.port}/`
    expect(await faultOf(guardedFetch(url, { ...options, lookup: near }))).toBe('url_refused')
    expect((await guardedFetch(url, { ...options, lookup: near, allowInsecure: true })).status).toBe(200)
    // Not refused for its address any more; nobody answers there.
    expect(
      await faultOf(
        guardedFetch('http://169.254.169.254/', { ...options, allowInsecure: true, timeout: 100 }),
      ),
    ).not.toBe('address_refused')
  })
})

describe('a name', () => {
  const resolvesTo =
    (...addresses: string[]): LookupFunction =>
    (_name, asked, callback) =>
      answerWith(addresses, asked.all, callback)

  it.each(['169.254.169.254', 'fe80::1', '::ffff:169.254.169.254', 'fd00:ec2::254', '100.100.100.200'])(
    'that resolves to %s is not dialled, even with allowInsecure',
    async (address) => {
      for (const allowInsecure of [false, true]) {
        const attempt = guardedFetch('https://rebound.example/', {
          ...options,
          allowInsecure,
          lookup: resolvesTo(address),
        })
        expect(await faultOf(attempt)).toBe('address_refused')
      }
    },
  )

  it('that resolves to such an address among others is not dialled at all', async () => {
    const server = await serve(json({}))
    const attempt = guardedFetch(`http://rebound.example:${server.port}/`, {
      ...options,
      allowInsecure: true,
      lookup: resolvesTo('127.0.0.1', '169.254.169.254'),
    })
    expect(await faultOf(attempt)).toBe('address_refused')
    expect(server.asked).toEqual([])
  })

  it('of this machine that resolves elsewhere is not dialled over plain http', async () => {
    const attempt = guardedFetch('http://idp.localhost/', { ...options, lookup: resolvesTo('192.0.2.1') })
    expect(await faultOf(attempt)).toBe('address_refused')
  })

  it('of this machine is fetched over plain http', async () => {
    const server = await serve(json({ ok: true }))
    const near: LookupFunction = (_name, asked, callback) => {
      lookup('127.0.0.1', asked, callback)
    }
    expect(
      (await guardedFetch(`http://idp.localhost:${server.port}/`, { ...options, lookup: near })).status,
    ).toBe(200)
  })
})

describe('https', () => {
  it('is trusted by the authorities of `ca` alone', async () => {
    const { certificate, key } = selfSign()
    const server = await serveLoopback(json({ ok: true }), 0, { cert: certificate, key })
    servers.push(server)
    expect((await guardedFetch(server.origin, { ...options, ca: certificate })).status).toBe(200)
    const other = selfSign()
    await expect(guardedFetch(server.origin, { ...options, ca: other.certificate })).rejects.toThrow(
      /cannot be reached/,
    )
    await expect(guardedFetch(server.origin, options)).rejects.toThrow(/DEPTH_ZERO_SELF_SIGNED_CERT/)
  })
})

function answerWith(
  addresses: readonly string[],
  all: boolean | undefined,
  callback: (error: null, found: string | LookupAddress[], family?: number) => void,
): void {
  const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
  if (all === true) callback(null, found)
  else callback(null, found[0]?.address ?? '', found[0]?.family ?? 4)
}
