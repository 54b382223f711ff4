import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { ContentCheck, readContentDigest } from './content-digest.ts'

const body = '{"hello": "world"}'
const of = (algorithm: string, text = body): string =>
  `:${createHash(algorithm).update(text).digest('base64')}:`

describe('Content-Digest', () => {
  it.each([
    ['sha-256', [`sha-256=${of('sha256')}`]],
    ['sha-512', [`sha-512=${of('sha512')}`]],
    ['both', [`sha-256=${of('sha256')}, sha-512=${of('sha512')}`]],
    ['both, on two lines', [`sha-256=${of('sha256')}`, `sha-512=${of('sha512')}`]],
    ['one beside a broken algorithm', [`md5=:AAAA:, sha-256=${of('sha256')}`]],
  ])('holds for the content it describes: %s', (_what, lines) => {
    expect(check(lines, [body])).toBe(true)
    expect(check(lines, body.split(''))).toBe(true)
  })

  it.each([
    ['other content', [`sha-256=${of('sha256', 'other')}`]],
    ['one right and one wrong', [`sha-256=${of('sha256')}, sha-512=${of('sha512', 'other')}`]],
    ['a cut digest', ['sha-256=:AAAA:']],
  ])('does not hold for %s', (_what, lines) => {
    expect(check(lines, [body])).toBe(false)
  })

  it('describes the absence of content too', () => {
    expect(check([`sha-256=${of('sha256', '')}`], [])).toBe(true)
    expect(check([`sha-256=${of('sha256')}`], [])).toBe(false)
  })

  it.each([
    ['nothing', []],
    ['an empty field', ['']],
    ['only what is not known', ['md5=:AAAA:, unixsum=:AA==:']],
    ['a digest that is no bytes', ['sha-256="abc"']],
    ['a list', ['sha-256=(:AAAA:)']],
    ['a repeated algorithm', [`sha-256=${of('sha256')}`, 'sha-256=:AAAA:']],
    ['no dictionary', [of('sha256')]],
  ])('cannot be checked: %s', (_what, lines) => {
    expect(readContentDigest(lines)).toBeUndefined()
  })
})

function check(lines: readonly string[], chunks: readonly string[]): boolean {
  const content = new ContentCheck(readContentDigest(lines)!)
  for (const chunk of chunks) content.add(Buffer.from(chunk))
  return content.holds()
}
