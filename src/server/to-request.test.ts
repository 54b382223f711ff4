import { describe, expect, it } from 'vitest'
import type { ServerRequest } from '../exchange.ts'
import type { ClientFacts } from './forwarded.ts'
import { toGatewayRequest } from './to-request.ts'

const target = { path: '/a', query: 'b=c' }
const client = { clientIp: '1.1.1.1', scheme: 'https', host: 'x.example' } as ClientFacts
const context = { publicOrigin: () => undefined, certificate: () => undefined }

function request(fields: readonly string[]) {
  return toGatewayRequest({ method: 'GET', fields } as unknown as ServerRequest, target, client, context)
}

describe('a request as the engine sees it', () => {
  it('has the facts it was made from', () => {
    expect(request([])).toMatchObject({ method: 'GET', ...target, ...client })
  })

  it('answers by lower-case names over lines of any case', () => {
    const { ...methods } = { of: request(['X-A', '1', 'Host', 'x', 'x-a', '2', 'X-B', '']) }
    expect(methods.of.header('x-a')).toBe('1')
    expect(methods.of.values('x-a')).toEqual(['1', '2'])
    expect(methods.of.count('x-a')).toBe(2)
    expect(methods.of.header('x-b')).toBe('')
    expect(methods.of.count('x-c')).toBe(0)
    expect(methods.of.values('x-c')).toEqual([])
    expect(methods.of.header('x-c')).toBeUndefined()
    expect(methods.of.names()).toEqual(['x-a', 'host', 'x-b'])
  })

  it('does not show what belongs to the connection, nor what Connection names', () => {
    const seen = request([
      'Connection',
      'keep-alive',
      'connection',
      'X-Hop, close',
      'Keep-Alive',
      'timeout=5',
      'TE',
      'trailers',
      'Trailer',
      'X',
      'Transfer-Encoding',
      'chunked',
      'Upgrade',
      'h2c',
      'Proxy-Connection',
      'close',
      'Proxy-Authorization',
      'Basic x',
      'x-hop',
      '1',
      'X-Stays',
      '2',
    ])
    expect(seen.names()).toEqual(['x-stays'])
    expect(seen.header('x-hop')).toBeUndefined()
    expect(seen.count('transfer-encoding')).toBe(0)
    expect(seen.values('te')).toEqual([])
  })

  it('is not fooled by names of object members', () => {
    const seen = request(['__proto__', '1', 'constructor', '2'])
    expect(seen.header('__proto__')).toBe('1')
    expect(seen.header('constructor')).toBe('2')
    expect(seen.header('tostring')).toBeUndefined()
  })
})
