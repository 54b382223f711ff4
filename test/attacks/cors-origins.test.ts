/** A foreign page that wants to read answers: origins that look like the one that may. */
import { describe, expect, it } from 'vitest'
import type { CorsSettings } from '../../src/configuration.ts'
import { corsFields, preflightAnswer } from '../../src/routing/cors.ts'
import { compileRoutes } from '../../src/routing/table.ts'
import { gatewayRequest } from '../support/gateway-request.ts'
import { routeSettings } from '../support/route-settings.ts'

const cors: CorsSettings = {
  origins: ['https://app.example.com', 'null'],
  credentials: true,
  headers: ['authorization'],
  expose: [],
  maxAge: 600_000,
}
const table = compileRoutes([routeSettings('r', { path: '/r', methods: ['GET', 'PUT'] }, { cors })])

const impostors = [
  'null',
  '',
  '*',
  'https://app.example.com.evil.example',
  'https://evilapp.example.com',
  'https://app.example.com:8443',
  'https://app.example.com:443',
  'http://app.example.com',
  'https://APP.example.com',
  'HTTPS://app.example.com',
  'https://app.example.com/',
  'https://app.example.com.',
  'https://app.example.com@evil.example',
  'https://user@app.example.com',
  'https://app.example.com\u0000.evil.example',
  ' https://app.example.com',
  'https://app.example.com,https://evil.example',
  'https://app.example.com https://evil.example',
  'file://',
  'https://аpp.example.com',
  '__proto__',
  'constructor',
]

describe('an impostor', () => {
  it.each(impostors)('%j reads no answer', (origin) => {
    expect(corsFields(cors, origin)).toEqual(['Vary', 'Origin'])
  })

  it.each(impostors)('%j is allowed nothing by a preflight', (origin) => {
    const headers = { origin, 'access-control-request-method': 'PUT' }
    const preflight = preflightAnswer(table, gatewayRequest({ method: 'OPTIONS', path: '/r', headers }))
    expect(preflight?.answer.fields).toEqual(['Vary', 'Origin'])
  })

  it('is not let in by sending its origin beside a good one', () => {
    for (const origin of [
      ['https://app.example.com', 'https://evil.example'],
      ['https://evil.example', 'https://app.example.com'],
    ]) {
      const headers = { origin, 'access-control-request-method': 'PUT' }
      expect(
        preflightAnswer(table, gatewayRequest({ method: 'OPTIONS', path: '/r', headers })),
      ).toBeUndefined()
    }
  })

  it('never sees its own origin in an answer', () => {
    for (const origin of impostors.filter((it) => it.length > 3)) {
      expect(corsFields(cors, origin).join('\n')).not.toContain(origin)
      expect(corsFields({ ...cors, origins: ['*'], credentials: false }, origin).join('\n')).not.toContain(
        origin,
      )
    }
  })
})

it('the page that may is told apart from all of them', () => {
  expect(corsFields(cors, 'https://app.example.com')).toContain('https://app.example.com')
})
