import { describe, expect, it } from 'vitest'
import { publicCodes, reasons, type PublicCode, type Reason } from '../engine/errors.ts'
import { refuse } from '../engine/outcome.ts'
import type { Answer } from '../exchange.ts'
import { isNavigation } from './navigation.ts'
import { renderPage } from './page.ts'
import { renderRefusal } from './problem.ts'

const plain = { requestId: 'r-1', method: 'GET' }

function values(answer: Answer, name: string): string[] {
  return answer.fields.filter((_, at) => at % 2 === 1 && answer.fields[at - 1]!.toLowerCase() === name)
}

describe('a refusal', () => {
  it('is a problem document with six members', () => {
    const answer = renderRefusal(refuse('token_signature'), plain)
    expect(answer.status).toBe(401)
    expect(values(answer, 'content-type')).toEqual(['application/problem+json'])
    expect(Object.entries(JSON.parse(answer.body) as object)).toEqual([
      ['type', 'urn:portcullis:error:credential_invalid'],
      ['title', 'Credential invalid'],
      ['status', 401],
      ['detail', 'the credential was not accepted'],
      ['code', 'credential_invalid'],
      ['requestId', 'r-1'],
    ])
    expect(values(answer, 'x-request-id')).toEqual(['r-1'])
    expect(values(answer, 'cache-control')).toEqual(['no-store'])
    expect(values(answer, 'x-content-type-options')).toEqual(['nosniff'])
  })

  it('never tells the finer reason or the operator’s detail', () => {
    for (const reason of Object.keys(reasons) as Reason[])
      for (const context of [
        plain,
        { ...plain, secFetchMode: 'navigate' },
        { ...plain, contentType: 'application/grpc' },
      ]) {
        const answer = renderRefusal(refuse(reason, { detail: 'of the operator' }), context)
        const told = answer.body + answer.fields.join()
        expect(told).not.toContain('of the operator')
        expect(reason in publicCodes || !new RegExp(`\\b${reason}\\b`).test(told)).toBe(true)
      }
  })

  it('carries each challenge in a line of its own, Retry-After in whole seconds, and Allow', () => {
    const challenges = ['Bearer realm="portcullis"', 'ApiKey realm="portcullis", in="header"']
    const answer = renderRefusal(
      refuse('no_credential', { challenges, retryAfter: 1.2, allow: ['GET', 'HEAD'] }),
      plain,
    )
    expect(values(answer, 'www-authenticate')).toEqual(challenges)
    expect(values(answer, 'retry-after')).toEqual(['2'])
    expect(values(answer, 'allow')).toEqual(['GET, HEAD'])
  })

  it('carries an empty Allow where there is no method, and none where nobody asked', () => {
    expect(values(renderRefusal(refuse('method_not_allowed', { allow: [] }), plain), 'allow')).toEqual([''])
    expect(values(renderRefusal(refuse('forbidden'), plain), 'allow')).toEqual([])
  })

  it('carries the route’s fields and the instance', () => {
    const answer = renderRefusal(refuse('forbidden'), {
      ...plain,
      instance: '/a',
      extraFields: ['Vary', 'Origin'],
    })
    expect(values(answer, 'vary')).toEqual(['Origin'])
    expect(JSON.parse(answer.body)).toMatchObject({ instance: '/a' })
  })

  it('has the status that it was given', () => {
    const answer = renderRefusal(refuse('no_healthy_target', { status: 503 }), plain)
    expect(answer.status).toBe(503)
    expect(JSON.parse(answer.body)).toMatchObject({ status: 503, code: 'upstream_unavailable' })
  })
})

describe('a refusal for a person', () => {
  const answer = renderRefusal(refuse('forbidden'), { ...plain, secFetchMode: 'navigate' })

  it('is a page with the same facts that loads nothing', () => {
    expect(answer.status).toBe(403)
    expect(values(answer, 'content-type')).toEqual(['text/html; charset=utf-8'])
    expect(values(answer, 'content-security-policy')[0]).toMatch(/^default-src 'none'/)
    expect(values(answer, 'cache-control')).toEqual(['no-store'])
    for (const fact of ['403', 'Forbidden', 'The caller may not do this.', 'forbidden', 'r-1'])
      expect(answer.body).toContain(fact)
    expect(answer.body).not.toMatch(/src=|href=|<script/)
  })

  it('escapes what it shows', () => {
    const hostile = '<script>"\'&'
    const page = renderPage({
      status: 400,
      title: hostile,
      detail: hostile,
      code: hostile,
      requestId: hostile,
    })
    expect(page).not.toContain('<script>')
    expect(page).toContain('&lt;script&gt;&quot;&#39;&amp;')
  })
})

describe('a navigation', () => {
  const html = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'
  it.each([
    [true, { method: 'GET', secFetchMode: 'navigate', accept: '*/*' }],
    [true, { method: 'POST', secFetchMode: 'navigate' }],
    [false, { method: 'GET', secFetchMode: 'cors', accept: html }],
    [false, { method: 'GET', secFetchMode: '', accept: html }],
    [true, { method: 'GET', accept: html }],
    [true, { method: 'HEAD', accept: html }],
    [false, { method: 'POST', accept: html }],
    [false, { method: 'GET' }],
    [false, { method: 'GET', accept: '' }],
    [false, { method: 'GET', accept: '*/*' }],
    [false, { method: 'GET', accept: 'application/json' }],
    [false, { method: 'GET', accept: 'application/json, text/html' }],
    [false, { method: 'GET', accept: 'application/json, text/html;q=0.9' }],
    [true, { method: 'GET', accept: 'application/json;q=0.5, text/html' }],
    [true, { method: 'GET', accept: 'TEXT/HTML , */*' }],
    [false, { method: 'GET', accept: 'text/html;q=0' }],
    [false, { method: 'GET', accept: 'text/html;q=0.1, */*' }],
    [true, { method: 'GET', accept: 'text/html;level=1;q=0.9, */*;q=0.8' }],
  ])('is %s for %j', (expected, facts) => {
    expect(isNavigation(facts)).toBe(expected)
  })
})

describe('a refusal of a gRPC call', () => {
  const statusOf = (code: PublicCode): string | undefined =>
    values(
      renderRefusal(refuse(code), { ...plain, method: 'POST', contentType: 'application/grpc' }),
      'grpc-status',
    )[0]

  it('is 200 with the status in the head and no body', () => {
    const answer = renderRefusal(refuse('no_credential', { challenges: ['Bearer'] }), {
      requestId: 'r-1',
      method: 'POST',
      contentType: 'application/grpc+proto',
      secFetchMode: 'navigate',
    })
    expect(answer).toMatchObject({ status: 200, body: '' })
    expect(values(answer, 'content-type')).toEqual(['application/grpc'])
    expect(values(answer, 'grpc-status')).toEqual(['16'])
    expect(values(answer, 'grpc-message')).toEqual(['credential_missing: this resource needs a credential'])
    expect(values(answer, 'www-authenticate')).toEqual(['Bearer'])
    expect(values(answer, 'x-request-id')).toEqual(['r-1'])
  })

  it.each([
    ['credential_expired', '16'],
    ['forbidden', '7'],
    ['rate_limited', '8'],
    ['provider_unavailable', '14'],
    ['upstream_timeout', '14'],
    ['shutting_down', '14'],
    ['internal_error', '13'],
    ['bad_request', '3'],
    ['route_not_found', '12'],
  ] as const)('tells %s as %s', (code, status) => {
    expect(statusOf(code)).toBe(status)
  })

  it.each(['application/grpc-web', 'application/grpc-web+proto', 'application/grpcx', 'text/plain'])(
    'is not meant by %s',
    (contentType) => {
      expect(renderRefusal(refuse('forbidden'), { ...plain, contentType }).status).toBe(403)
    },
  )
})
