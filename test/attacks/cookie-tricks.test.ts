/** Cookies that two parsers read in two ways, and cookies that belong to the gateway alone. */
import { describe, expect, it } from 'vitest'
import { cookieValues } from '../../src/engine/cookies.ts'
import { editAnswerFields } from '../../src/propagation/answer-fields.ts'
import { gatewayRequest } from '../support/gateway-request.ts'
import { plan, seen } from '../support/planning.ts'

function forwarded(...lines: string[]): string[] {
  return seen(plan({}, { fields: lines.flatMap((line) => ['Cookie', line]) }))
}

describe('a credential in a cookie', () => {
  it('is seen in every place where a backend might find a second one', () => {
    const read = (...lines: string[]): readonly string[] =>
      cookieValues(gatewayRequest({ headers: { cookie: lines } }), 'session_token')
    expect(read('session_token=a; session_token=b')).toEqual(['a', 'b'])
    expect(read('session_token=a', 'session_token=b')).toEqual(['a', 'b'])
    expect(read('x="y; session_token=a; z"')).toEqual(['a'])
    expect(read('session_token=a;session_token=b')).toEqual(['a', 'b'])
    expect(read(' session_token =a;\tsession_token\t=b')).toEqual(['a', 'b'])
  })

  it('does not reach a backend, in whatever spelling or place', () => {
    expect(forwarded('session_token=s')).toEqual([])
    expect(forwarded('a=1; session_token=s', 'Session-Token=s; b=2', 'session.token=s')).toEqual([
      'Cookie: a=1',
      'Cookie: b=2',
    ])
    expect(forwarded('a="; session_token=s"; b=2')).toEqual(['Cookie: a="; b=2'])
    expect(forwarded('=session_token=s; a=1')).toEqual(['Cookie: a=1'])
  })
})

describe('the gateway’s own cookies', () => {
  it('do not reach a backend, nor does what could be taken for them', () => {
    expect(
      forwarded(
        '__Host-portcullis=s; __host-portcullis=s; portcullis=s; PORTCULLIS=s',
        '__Host-portcullis-login-abc=s;portcullis-login-abc=s; =portcullis=s; portcullis',
        'a=1; __Secure-portcullis=s',
      ),
    ).toEqual(['Cookie: a=1'])
  })

  it('cannot be set by an upstream', () => {
    const attempts = [
      '__Host-portcullis=evil; Path=/; Secure; HttpOnly',
      '__HOST-PORTCULLIS=evil',
      'portcullis=evil; Domain=example.com',
      '=portcullis=evil',
      '\tportcullis\t=evil',
      'portcullis-login-abc=; Max-Age=0',
      '; portcullis=evil',
    ]
    const told: string[] = []
    const out = editAnswerFields(
      attempts.flatMap((attempt) => ['Set-Cookie', attempt]),
      { set: {}, remove: [] },
      { dropsCors: undefined, onOwnCookie: (name) => told.push(name) },
    )
    // The last names no cookie at all: what stands before the first `;` is empty, and a browser ignores it.
    expect(out).toEqual(['Set-Cookie', '; portcullis=evil'])
    expect(told).toHaveLength(6)
  })
})
