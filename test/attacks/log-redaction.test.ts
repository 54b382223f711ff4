import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createLog } from '../../src/telemetry/log.ts'

const claims = Buffer.from('{"sub":"alice","iss":"https://issuer.example"}').toString('base64url')
const jwt = `eyJhbGciOiJSUzI1NiJ9.${claims}.${randomBytes(64).toString('base64url')}`
const apiKey = `ptc_0123456789ab_${'Ab9'.repeat(14)}Z0aB1cD`
const password = 'correct-horse-battery-staple'
const pem: string = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })
const pemBody = pem.split('\n')[1]!
const hidden = [
  jwt,
  claims,
  apiKey,
  apiKey.slice(17, 30),
  password,
  'YWxhZGRpbjpvcGVuc2VzYW1l',
  'abcdef0123456789',
  pemBody,
]

/** Logs once and returns the line as written. */
function logged(log: (logger: ReturnType<typeof createLog>) => void): string {
  let out = ''
  log(createLog({ destination: { write: (line: string) => void (out += line) } }))
  expect(out).not.toBe('')
  return out
}

describe('the log, when somebody hands it a credential', () => {
  it.each<[string, Record<string, unknown>]>([
    ['as a member named like one', { authorization: `Bearer ${jwt}` }],
    ['under a name in another case', { headers: { 'X-API-Key': apiKey } }],
    ['deep inside', { a: { b: { c: [{ d: jwt }] } } }],
    [
      'in a list of raw field lines',
      { rawHeaders: ['Host', 'x', 'Cookie', password, 'X-Api-Key', password] },
    ],
    ['inside other text', { note: `failed for ${apiKey} at once` }],
    ['in a query', { url: `/a?x=1&access_token=${password}&b=2` }],
    ['in a Map', { map: new Map([['token', password]]) }],
    ['in a Set', { set: new Set([apiKey]) }],
    ['as a member name', { [apiKey]: 1 }],
    ['cut short', { note: apiKey.slice(0, 30) }],
    ['without its signature', { note: jwt.split('.').slice(0, 2).join('.') + '.' }],
    ['after its scheme, opaque', { note: 'got Bearer abcdef0123456789' }],
    ['after Basic', { note: 'Basic YWxhZGRpbjpvcGVuc2VzYW1l' }],
    ['as an error', { err: new Error(`bad token ${jwt}`, { cause: new Error(apiKey) }) }],
    ['as an error under another name', { failure: new Error(`bad ${jwt}`) }],
    ['as user information in a URL', { url: `https://user:${password}@db.example/x` }],
    ['as a private key', { note: pem }],
  ])('hides it %s', (_how, line) => {
    const out = logged((log) => log.info(line, 'said'))
    expect(hidden.filter((secret) => out.includes(secret))).toEqual([])
  })

  it('hides it in the message itself and in message arguments', () => {
    const out = logged((log) => log.warn('token %s and key %s', jwt, apiKey))
    expect(hidden.filter((secret) => out.includes(secret))).toEqual([])
  })

  it('hides it in an aggregate of errors', () => {
    const out = logged((log) => log.error({ err: new AggregateError([new Error(jwt)], apiKey) }, 'failed'))
    expect(hidden.filter((secret) => out.includes(secret))).toEqual([])
  })

  it('cannot be made to write two lines by a line break in a value', () => {
    const out = logged((log) => log.info({ path: '/a\n{"level":"info","msg":"forged"}' }, 'x\r\ny'))
    expect(out.trimEnd().split('\n')).toHaveLength(1)
  })

  it('keeps what is harmless: codes, digests, ids', () => {
    const digest = createHash('sha256').update('x').digest('hex')
    const out = logged((log) =>
      log.info({ code: 'credential_invalid', configuration: digest, requestId: 'r-1' }, 'refused'),
    )
    expect(out).toContain('credential_invalid')
    expect(out).toContain(digest)
    expect(out).toContain('r-1')
  })
})
