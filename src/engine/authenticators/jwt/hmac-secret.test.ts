import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { jwtSettings } from '../../../../test/support/tokens.ts'
import { Secret } from '../../secret.ts'
import { hmacKey, hmacSecretFault } from './hmac-secret.ts'

const bytes = Buffer.from(Array.from({ length: 32 }, (_, index) => index * 7 + 1))
const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })

function settings(
  secret: string | undefined,
  secretEncoding: 'utf8' | 'base64' | 'base64url' | 'hex' = 'utf8',
) {
  return jwtSettings({
    algorithms: ['HS256'],
    secretEncoding,
    ...(secret === undefined ? {} : { secret: new Secret(secret) }),
  })
}

describe('the shared secret of HMAC tokens', () => {
  it.each(['base64', 'base64url', 'hex'] as const)('is decoded from %s', (encoding) => {
    expect(hmacKey(settings(bytes.toString(encoding), encoding)).export()).toEqual(bytes)
  })

  it('is taken as it stands in utf8, upper-case hex and unpadded base64', () => {
    expect(hmacKey(settings('ä'.repeat(16))).symmetricKeySize).toBe(32)
    expect(hmacKey(settings(bytes.toString('hex').toUpperCase(), 'hex')).export()).toEqual(bytes)
    expect(hmacKey(settings(bytes.toString('base64').replace('=', ''), 'base64')).export()).toEqual(bytes)
  })

  it.each([
    ['missing', settings(undefined), /missing/],
    ['31 bytes', settings('x'.repeat(31)), /fewer than 32/],
    ['short once decoded', settings('ab'.repeat(31), 'hex'), /fewer than 32/],
    ['not hex', settings(`${'ab'.repeat(32)}zz`, 'hex'), /not hex/],
    ['not base64', settings(`${bytes.toString('base64')}!`, 'base64'), /not base64/],
    ['a PEM public key', settings(publicKey.export({ format: 'pem', type: 'spki' })), /public key/],
    [
      'a PEM public key in base64',
      settings(Buffer.from(publicKey.export({ format: 'pem', type: 'spki' })).toString('base64'), 'base64'),
      /public key/,
    ],
    [
      'a DER public key',
      settings(publicKey.export({ format: 'der', type: 'spki' }).toString('base64'), 'base64'),
      /public key/,
    ],
    ['a JWK', settings(JSON.stringify(publicKey.export({ format: 'jwk' }))), /public key/],
    ['an SSH key', settings(`ssh-ed25519 ${bytes.toString('base64')}`), /public key/],
  ])('is refused when it is %s', (_what, refused, message) => {
    expect(hmacSecretFault(refused)).toMatch(message)
    expect(() => hmacKey(refused)).toThrow(message)
  })

  it('never stands in the message', () => {
    expect(hmacSecretFault(settings('hunter2'))).not.toContain('hunter2')
  })
})
