import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { judgeReport, readReportKey } from './signature.ts'

/** The sample request of GitHub's documentation, and the key that GitHub published for it. */
const sample = {
  id: 'bcb53661c06b4728e59d897fb6165d5c9cda0fd9cdf9d09ead458168deb7518c',
  pem: '-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYAGMWO8XgCamYKMJS6jc/qgvSlAd\nAjPuDPRcXU22YxgBrz+zoN19MzuRyW87qEt9/AmtoNP5GrobzUvQSyJFVw==\n-----END PUBLIC KEY-----\n',
  signature:
    'MEQCIQDaMKqrGnE27S0kgMrEK0eYBmyG0LeZismAEz/BgZyt7AIfXt9fErtRS4XaeSt/AO1RtBY66YcAdjxji410VQV4xg==',
  body: '[{"source":"commit","token":"some_token","type":"some_type","url":"https://example.com/base-repo-url/"}]',
}
const keys = [{ id: sample.id, key: readReportKey(sample.pem)! }]
const bytes = (text: string): Buffer => Buffer.from(text)

describe('the signature of a leak report', () => {
  it("holds for the sample of GitHub's documentation", () => {
    expect(judgeReport(bytes(sample.body), sample, keys)).toBe('good')
  })

  it('is over the body byte for byte', () => {
    for (const body of [`${sample.body}\n`, sample.body.replace('some_token', 'other_tokn'), '', '[]']) {
      expect(judgeReport(bytes(body), sample, keys)).toBe('forged')
    }
  })

  it('is needed, with the name of a key that is configured', () => {
    const { id, signature } = sample
    expect(judgeReport(bytes(sample.body), { id: undefined, signature }, keys)).toBe('unsigned')
    expect(judgeReport(bytes(sample.body), { id, signature: undefined }, keys)).toBe('unsigned')
    expect(judgeReport(bytes(sample.body), { id: '', signature: '' }, keys)).toBe('unsigned')
    expect(judgeReport(bytes(sample.body), { id: 'another', signature }, keys)).toBe('unknown_key')
    expect(judgeReport(bytes(sample.body), sample, [])).toBe('unknown_key')
  })

  it.each([
    ['no base64', '!!!!'],
    ['base64url', sample.signature.replaceAll('/', '_')],
    ['with a line break', `${sample.signature}\n`],
    ['empty DER', 'MAA='],
    ['r = s = 0', Buffer.from('3006020100020100', 'hex').toString('base64')],
    ['r = s = 1', Buffer.from('3006020101020101', 'hex').toString('base64')],
    ['raw instead of DER', Buffer.alloc(64, 1).toString('base64')],
    ['endless', 'A'.repeat(10_000)],
  ])('is refused when it is %s', (_what, signature) => {
    expect(judgeReport(bytes(sample.body), { id: sample.id, signature }, keys)).toBe('forged')
  })

  it('of another key than the named one is refused', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const signature = sign('sha256', bytes(sample.body), privateKey).toString('base64')
    expect(judgeReport(bytes(sample.body), { id: sample.id, signature }, keys)).toBe('forged')
    const own = [...keys, { id: 'own', key: publicKey }]
    expect(judgeReport(bytes(sample.body), { id: 'own', signature }, own)).toBe('good')
  })
})

describe('the public key of a leak report', () => {
  it('must be a public one on P-256', () => {
    const pem = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' })
    expect(readReportKey(pem(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey))).toBeUndefined()
    expect(readReportKey(pem(generateKeyPairSync('ed25519').publicKey))).toBeUndefined()
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    expect(readReportKey(privateKey.export({ type: 'pkcs8', format: 'pem' }))).toBeUndefined()
    expect(readReportKey('-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----')).toBeUndefined()
    expect(readReportKey('')).toBeUndefined()
    expect(readReportKey(sample.pem)).toBeDefined()
  })
})
