/** Attacks on the token's bytes: two readers must never see two tokens. */
import { describe, expect, it } from 'vitest'
import { onBench } from '../support/jwt-authenticator.ts'
import {
  accessClaims,
  audience,
  createSigner,
  encode,
  issuer,
  mint,
  noon,
  presented,
} from '../support/tokens.ts'

const rsa = createSigner('RS256')
const bench = onBench([rsa.jwk])
const good = mint(rsa, accessClaims())
const [header = '', claims = '', signature = ''] = good.split('.')
const text = JSON.stringify(accessClaims())
const later = noon / 1000 + 600

/** The good claims with a member put in front or behind, as text. */
const before = (member: string): string => `{${member},${text.slice(1)}`
const behind = (member: string): string => `${text.slice(0, -1)},${member}}`

it('the good token that the attacks are made from is accepted', async () => {
  expect(await bench.judge(good)).toBe('verified')
  expect(await bench.judge(mint(rsa, before('"x":1')))).toBe('verified')
  expect(await bench.judge(mint(rsa, behind('"x":1')))).toBe('verified')
})

describe('duplicate members', () => {
  it.each([
    ['sub', '"sub":"admin"'],
    ['exp', `"exp":${later * 2}`],
    ['aud', `"aud":"${audience}"`],
    ['iss', `"iss":"${issuer}"`],
    ['the same value', '"scope":"catalog:read"'],
    ['sub by an escape', '"s\\u0075b":"admin"'],
    ['scope by capital hex', '"\\u0073\\u0063ope":"admin"'],
  ])('of the payload: %s', async (_what, member) => {
    expect(await bench.judge(mint(rsa, before(member)))).toBe('token_malformed')
    expect(await bench.judge(mint(rsa, behind(member)))).toBe('token_malformed')
  })

  it('deep in the payload', async () => {
    expect(
      await bench.judge(mint(rsa, behind('"realm_access":{"roles":["viewer"],"roles":["admin"]}'))),
    ).toBe('token_malformed')
    expect(await bench.judge(mint(rsa, behind('"list":[{"a":1,"a":2}]')))).toBe('token_malformed')
  })

  it.each([
    ['alg twice', '{"alg":"none","kid":"RS256-1","alg":"RS256"}'],
    ['alg by an escape', '{"alg":"RS256","kid":"RS256-1","\\u0061lg":"none"}'],
    ['kid twice', '{"alg":"RS256","kid":"RS256-1","kid":"RS256-1"}'],
  ])('of the header: %s', async (_what, head) => {
    expect(await bench.judge(mint(rsa, accessClaims(), head))).toBe('token_malformed')
  })

  it('two issuers do not reach the authenticator of the one that is not proven', () => {
    const token = mint(rsa, before('"iss":"https://other.example"'))
    expect(bench.authenticator.takes(presented(token))).toBe('yes')
    const turned = mint(rsa, behind('"iss":"https://other.example"'))
    expect(bench.authenticator.takes(presented(turned))).toBe('no')
  })
})

describe('other spellings of one token', () => {
  const std = (part: string): string => part.replaceAll('-', '+').replaceAll('_', '/')
  const padded = (part: string): string => part + '='.repeat((4 - (part.length % 4)) % 4)
  /** Sets unused bits of the last character, where it has some. */
  const withTrailingBits = (part: string): string => {
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    return part.slice(0, -1) + letters.charAt(letters.indexOf(part.slice(-1)) + 1)
  }

  it.each([
    ['padding', `${header}.${claims}.${padded(signature)}`],
    ['padding of the header', `${header}=.${claims}.${signature}`],
    ['trailing bits', `${header}.${claims}.${withTrailingBits(signature)}`],
    ['a fourth part', `${good}.${signature}`],
    ['a line break inside', `${header}.${claims}.${signature.slice(0, 10)}\n${signature.slice(10)}`],
    ['a space in front', ` ${good}`],
    ['a tab behind', `${good}\t`],
    ['percent encoding', good.replace('.', '%2E')],
    ['a full-width dot', good.replace('.', '．')],
    ['letters beyond ASCII that decode to nothing', `${header}.${claims}.${signature}ﬀ`],
  ])('%s', async (_what, token) => {
    expect(await bench.judge(token)).toBe('token_malformed')
  })

  it('bytes after the signature', async () => {
    expect(await bench.judge(`${good}AA`)).toBe('token_signature')
  })

  it('the standard alphabet', async () => {
    const token = Array.from({ length: 40 }, (_, n) => mint(rsa, accessClaims({ jti: `${n}` }))).find(
      (each) => /[-_]/.test(each.split('.')[2] ?? ''),
    )
    if (token === undefined) throw new Error('no signature with - or _')
    const [head, body, sig = ''] = token.split('.')
    expect(await bench.judge(`${head}.${body}.${std(sig)}`)).toBe('token_malformed')
  })

  it('a token in JSON serialisation', async () => {
    const flattened = JSON.stringify({ protected: header, payload: claims, signature })
    expect(await bench.judge(flattened)).toBe('token_malformed')
    expect(await bench.judge(encode(flattened))).toBe('token_malformed')
  })
})

describe('bytes that are no text', () => {
  it.each([
    [
      'invalid UTF-8',
      Buffer.concat([Buffer.from('{"sub":"'), Buffer.from([0xff]), Buffer.from(`",${text.slice(1)}`)]),
    ],
    [
      'an overlong quote',
      Buffer.concat([
        Buffer.from(text.slice(0, -1)),
        Buffer.from(',"x":"'),
        Buffer.from([0xc0, 0xa2]),
        Buffer.from('"}'),
      ]),
    ],
    ['a byte order mark', Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(text)])],
    ['UTF-16', Buffer.from(text, 'utf16le')],
  ])('%s', async (_what, bytes) => {
    expect(await bench.judge(mint(rsa, bytes))).toBe('token_malformed')
  })

  it.each([
    ['a list', '[]'],
    ['a string', '"sub"'],
    ['null', 'null'],
    ['two objects', `${text}${text}`],
    ['a comment', `/**/${text}`],
    ['a trailing comma', `${text.slice(0, -1)},}`],
    ['single quotes', "{'sub':'admin'}"],
    ['NaN', behind('"x":NaN')],
    ['a leading zero', behind('"x":01')],
    ['__proto__', behind('"__proto__":{"sub":"admin"}')],
  ])('a payload that is %s', async (_what, payload) => {
    expect(await bench.judge(mint(rsa, payload))).toBe('token_malformed')
  })
})

describe('size', () => {
  it('a token of 1 MiB is refused unread', async () => {
    const token = `${header}.${'A'.repeat(1_048_576)}.${signature}`
    const began = process.cpuUsage()
    expect(await bench.judge(token)).toBe('token_too_large')
    expect(bench.authenticator.takes(presented(token))).toBe('no')
    expect(millisecondsSince(began)).toBeLessThan(200)
  })

  it('a header that outgrows 2 KiB', async () => {
    expect(await bench.judge(mint(rsa, accessClaims(), { pad: 'x'.repeat(2_048) }))).toBe('token_malformed')
  })

  it('nesting that is meant to overflow the stack', async () => {
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      const depth = 1_500
      const deep = behind(`"x":${open.repeat(depth)}1${close.repeat(depth)}`)
      expect(await bench.judge(mint(rsa, deep))).toBe('token_malformed')
      expect(bench.authenticator.takes(presented(mint(rsa, deep)))).toBe('yes')
    }
    expect(await bench.judge(mint(rsa, '['.repeat(8_000)))).toBe('token_malformed')
  })

  it('many members cost little', async () => {
    const many = behind(Array.from({ length: 1_000 }, (_, n) => `"m${n}":${n % 10}`).join(','))
    const token = mint(rsa, many)
    const began = process.cpuUsage()
    expect(await bench.judge(token)).toBe('verified')
    expect(millisecondsSince(began)).toBeLessThan(200)
  })
})

/** CPU time, which a busy machine does not stretch. */
function millisecondsSince(began: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(began)
  return (user + system) / 1_000
}
