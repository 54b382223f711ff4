import { describe, expect, it } from 'vitest'
import type { HeaderEdits } from '../configuration.ts'
import { editAnswerFields, type AnswerRules } from './answer-fields.ts'

const none: HeaderEdits = { set: {}, remove: [] }

function edit(
  fields: string[],
  edits = none,
  more: Partial<AnswerRules> = {},
): { out: string[]; cookies: string[] } {
  const cookies: string[] = []
  const rules = { dropsCors: undefined, onOwnCookie: (name: string) => void cookies.push(name), ...more }
  return { out: editAnswerFields(fields, edits, rules), cookies }
}

describe("an upstream's answer", () => {
  it('passes as it is', () => {
    const fields = ['Content-Type', 'a', 'set-cookie', 'a=1', 'Set-Cookie', 'b=2', 'RateLimit', 'x']
    expect(edit(fields).out).toEqual(fields)
    expect(edit(fields).out).not.toBe(fields)
  })

  it('cannot speak for the gateway', () => {
    expect(edit(['X-REQUEST-ID', 'theirs', 'Portcullis-Key-Expires', 'never', 'A', '1']).out).toEqual([
      'A',
      '1',
    ])
    expect(edit(['RateLimit', 'x', 'ratelimit-policy', 'y'], none, { dropsLimits: true }).out).toEqual([])
    const dropsCors = (name: string): boolean => name.startsWith('access-control-')
    expect(edit(['Access-Control-Allow-Origin', '*', 'Vary', 'Accept'], none, { dropsCors }).out).toEqual([
      'Vary',
      'Accept',
    ])
  })

  it.each([
    '__Host-portcullis=x; Path=/; Secure',
    '__host-PORTCULLIS=x',
    'portcullis=x',
    ' portcullis = x',
    '=portcullis=x',
    'portcullis',
    'portcullis-login-abc=x',
    'portcullis_login_abc=x',
  ])('cannot set a cookie of the gateway: %s', (cookie) => {
    const { out, cookies } = edit(['Set-Cookie', cookie, 'SET-COOKIE', 'a=portcullis'])
    expect(out).toEqual(['SET-COOKIE', 'a=portcullis'])
    expect(cookies).toHaveLength(1)
    expect(cookies[0]).not.toContain('x')
  })

  it('is edited as the route says, framing left alone', () => {
    const edits: HeaderEdits = {
      set: { Server: 'gate', 'X-New': '1', 'content-length': '9', Connection: 'close' },
      remove: ['X-Powered-By', 'Content-Length'],
    }
    expect(edit(['server', 'nginx', 'x-powered-by', 'php', 'Content-Length', '5'], edits).out).toEqual([
      'Content-Length',
      '5',
      'Server',
      'gate',
      'X-New',
      '1',
    ])
  })
})
