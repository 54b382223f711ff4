/** A client writes the headers that only the gateway may write, in every spelling that some backend takes for the same name. */
import { array, assert as check, constantFrom, property, tuple } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalName } from '../../src/engine/fields.ts'
import { alice, plan, seen, valuesOf } from '../support/planning.ts'

/** What CGI, WSGI, Rack and PHP make of a name: letters raised, all else an underscore. */
function environmentName(name: string): string {
  return `HTTP_${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`
}

describe('a spoofed identity', () => {
  it.each([
    'X-Auth-Subject',
    'x-auth-subject',
    'X_Auth_Subject',
    'X-Auth_Subject',
    'x-auth.subject',
    'X~Auth~Subject',
    "X'Auth'Subject",
    'X-AUTH--SUBJECT',
    'X-Auth-Subject-',
    'X.Portcullis.Assertion',
    'X_PORTCULLIS_ANYTHING',
    'x_real_ip',
    'X_Forwarded_For',
    'x.forwarded.user',
    'X-Forwarded-Client_Cert',
    'client_cert',
    'SSL_CLIENT_VERIFY',
    'x_ssl_client_dn',
    'X_Original_URL',
    'x-http_method-override',
    'PROXY',
    'dpop',
    'X_API_KEY',
    'authorization',
  ])('as %s does not reach the backend', (name) => {
    expect(seen(plan({}, { fields: [name, 'root'] }))).toEqual([])
    expect(seen(plan({}, { fields: [name, 'root'], identity: alice })).join('\n')).not.toContain('root')
  })

  it('of any spelling never meets the real one in a backend that folds names', () => {
    const separator = constantFrom('-', '_', '.', '~', '!', '*', '+', '|', "'", '^', '`', '#', '$', '%', '&')
    const word = constantFrom('subject', 'SUBJECT', 'Roles', 'scopes', 'Issuer', 'client', 'method', 'tenant')
    check(
      property(
        tuple(separator, separator, word, array(constantFrom('x', 'X'), { maxLength: 1 })),
        ([a, b, last]) => {
          const name = `X${a}AuTh${b}${last}`
          const forwarded = plan({}, { fields: [name, 'root'], identity: alice })
          const names = forwarded.fields.filter((_, index) => index % 2 === 0).map(environmentName)
          expect(names.length).toBe(new Set(names).size)
          expect(forwarded.fields).not.toContain('root')
        },
      ),
    )
  })

  it('by a name of the route’s own choice is gone too', () => {
    const forward = { headers: { subject: 'X-User', roles: 'Remote-Groups' }, set: { 'X-Internal': 'yes' } }
    const fields = ['x.user', 'root', 'REMOTE_GROUPS', 'admin', 'x_internal', 'yes', 'X-Users', 'fine']
    expect(seen(plan({ forward }, { fields }))).toEqual(['X-Users: fine', 'X-Internal: yes'])
  })

  it('cannot be kept by naming it an exception', () => {
    const forward = {
      keep: ['X-Auth-Subject', 'X-Portcullis-Assertion', 'X-Request-Id', 'Connection', 'Host'],
    }
    const fields = [
      'X-Auth-Subject',
      'root',
      'X-Portcullis-Assertion',
      'forged',
      'Connection',
      'close',
      'Host',
      'evil',
    ]
    expect(seen(plan({ forward }, { fields, identity: alice })).join('\n')).not.toMatch(
      /root|forged|close|evil/,
    )
  })

  it('does not survive as a field that Connection was to remove', () => {
    // The gateway writes its fields after hop-by-hop names are gone, so that naming one removes only the client's.
    const fields = ['Connection', 'close, X-Auth-Subject, X-Request-Id', 'X-Auth-Subject', 'root']
    const forwarded = plan({}, { fields, identity: alice })
    expect(valuesOf(forwarded, 'x-auth-subject')).toEqual(['alice'])
    expect(valuesOf(forwarded, 'x-request-id')).toEqual(['request-1'])
  })

  it('is judged by the same folding everywhere', () => {
    for (const name of ['X_Auth.Subject', 'x-AUTH~subject']) {
      expect(environmentName(canonicalName(name))).toBe(environmentName(name))
    }
  })
})
