/** Whoever can make the gateway believe that a key leaked can end it: a forged report must do nothing and tell nothing. */
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { startTestUpstream, type TestUpstream } from '../harness/upstream.ts'

const pair = (): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' })
const github = pair()
const attacker = pair()
const next = pair()
const pem = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' })

interface Sending {
  readonly id?: string
  readonly key?: KeyObject
  readonly signature?: string
  readonly fields?: Readonly<Record<string, string>>
}

let upstream: TestUpstream
let test: TestGateway
const configuration = (leaks: string): string => `
version: 1
lockout: { failures: 12/1m, for: 1s }
${leaks}
authenticators:
  keys: { type: api-key }
  held: { type: api-key, prefix: held, in: [{ header: x-held-key }], onLeak: quarantine }
  told: { type: api-key, prefix: told, in: [{ header: x-told-key }], onLeak: report }
upstreams: { live: { targets: ["${upstream.url}"] } }
routes:
  - { id: live, match: { path: /live/* }, authenticate: [keys, held, told], upstream: live }
`

beforeAll(async () => {
  upstream = await startTestUpstream()
  test = await startTestGateway(
    configuration(
      'leaks: { github: { keys: [{ id: gh-1, key: ./github.pem }, { id: gh-2, key: ./next.pem }] } }',
    ),
    { files: { 'github.pem': pem(github.publicKey), 'next.pem': pem(next.publicKey) } },
  )
})

afterAll(async () => {
  await test.stop()
  await upstream.close()
})

function match(token: string): Record<string, string> {
  return { token, type: 'portcullis_key', url: 'https://github.com/a/b', source: 'commit' }
}

/** As GitHub sends it, unless the test says otherwise. */
function report(body: string | Buffer, sending: Sending = {}): Promise<Response> {
  const { id = 'gh-1', key = github.privateKey, fields = {} } = sending
  const signature = sending.signature ?? sign('sha256', Buffer.from(body), key).toString('base64')
  return fetch(`${test.url}/.portcullis/leaks/github`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(id === '' ? {} : { 'github-public-key-identifier': id }),
      ...(signature === '' ? {} : { 'github-public-key-signature': signature }),
      ...fields,
    },
    body,
  })
}

const labels = async (answer: Response): Promise<string[]> =>
  ((await answer.json()) as { label: string }[]).map(({ label }) => label)

const call = async (key: string, header = 'x-api-key'): Promise<number> =>
  (await fetch(`${test.url}/live/x`, { headers: { [header]: key } })).status

const fresh = (authenticator = 'keys'): Promise<{ readonly id: string; readonly key: string }> =>
  test.gateway.keys.create({ owner: 'acme', authenticator }, 'test')

describe('a leak report', () => {
  it('of GitHub ends the key at once, and each key of the report is labelled', async () => {
    const { id, key } = await fresh()
    expect(await call(key)).toBe(200)
    const answer = await report(JSON.stringify([match(key), match('ptc_nothing')]))
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('application/json')
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(await labels(answer)).toEqual(['true_positive', 'false_positive'])
    expect(await call(key)).toBe(401)
    expect((await test.gateway.keys.show(id)).status).toBe('revoked')
  })

  it('counts under each of the configured keys, and under its own name only', async () => {
    const { key } = await fresh()
    expect((await report(JSON.stringify([match(key)]), { id: 'gh-2' })).status).toBe(401)
    expect(await call(key)).toBe(200)
    const answer = await report(JSON.stringify([match(key)]), { id: 'gh-2', key: next.privateKey })
    expect(await labels(answer)).toEqual(['true_positive'])
  })

  it('leaves a quarantined key to those who used it before, and an administrator may release it', async () => {
    const { id, key } = await fresh('held')
    expect(await call(key, 'x-held-key')).toBe(200)
    const stolen = await fresh('held')
    await report(JSON.stringify([match(key), match(stolen.key)]))
    expect(await call(key, 'x-held-key')).toBe(200)
    expect(await call(stolen.key, 'x-held-key')).toBe(403)
    expect((await test.gateway.keys.show(id)).status).toBe('quarantined')
    await test.gateway.keys.release(stolen.id, undefined, 'admin')
    expect(await call(stolen.key, 'x-held-key')).toBe(200)
  })

  it('changes nothing where keys are only reported, and says so in log and metrics', async () => {
    const { id, key } = await fresh('told')
    await report(JSON.stringify([match(key)]))
    expect(await call(key, 'x-told-key')).toBe(200)
    const line = test.lines.find((each) => each.includes('found in public') && each.includes(id))
    expect(line).toContain('"action":"reported"')
    const metrics = await (await fetch(`${test.gateway.adminUrl}/metrics`)).text()
    expect(metrics).toMatch(/^portcullis_leaked_keys_total\{action="reported"\} 1$/m)
    expect(metrics).toMatch(/^portcullis_leak_reports_total\{outcome="taken"\} \d+$/m)
  })

  it('that comes again is answered alike, and told once', async () => {
    const { id, key } = await fresh()
    const body = JSON.stringify([match(key)])
    const signature = sign('sha256', Buffer.from(body), github.privateKey).toString('base64')
    for (let time = 0; time < 5; time += 1)
      expect(await labels(await report(body, { signature }))).toEqual(['true_positive'])
    expect(test.lines.filter((each) => each.includes('found in public') && each.includes(id))).toHaveLength(1)
  })
})

describe('a forged leak report', () => {
  beforeEach(async () => {
    // The lockout of the test before has ended.
    await expect.poll(async () => (await report('[]')).status, { timeout: 3_000 }).toBe(200)
  })

  it.each<[string, (body: string) => Sending, string]>([
    ['unsigned', () => ({ id: '', signature: '' }), 'credential_missing'],
    ['without a signature', () => ({ signature: '' }), 'credential_missing'],
    ['without a key id', () => ({ id: '' }), 'credential_missing'],
    ['signed by somebody else', () => ({ key: attacker.privateKey }), 'credential_invalid'],
    ['under a key of its own', () => ({ id: 'mine', key: attacker.privateKey }), 'credential_invalid'],
    [
      'with the signature of another report',
      () => ({ signature: sign('sha256', Buffer.from('[]'), github.privateKey).toString('base64') }),
      'credential_invalid',
    ],
    [
      'signed over a prefix',
      (body) => ({
        signature: sign('sha256', Buffer.from(body.slice(0, -1)), github.privateKey).toString('base64'),
      }),
      'credential_invalid',
    ],
    ['with a signature of nothing', () => ({ signature: 'MAYCAQACAQA=' }), 'credential_invalid'],
    [
      'with two signatures',
      (body) => {
        const good = sign('sha256', Buffer.from(body), github.privateKey).toString('base64')
        return { signature: `${good}, ${good}` }
      },
      'credential_invalid',
    ],
  ])('%s ends no key', async (_what, sending, code) => {
    const { key } = await fresh()
    const body = JSON.stringify([match(key)])
    const answer = await report(body, sending(body))
    expect([answer.status, await answer.json()]).toMatchObject([401, { code }])
    expect(answer.headers.get('www-authenticate')).toBe('Signature realm="portcullis"')
    expect(await call(key)).toBe(200)
  })

  it('tells nobody whether a key is real', async () => {
    const { key } = await fresh()
    const answers = await Promise.all(
      [key, `${key.slice(0, -1)}!`, 'nonsense'].map(async (token) => {
        const answer = await report(JSON.stringify([match(token)]), { key: attacker.privateKey })
        const { requestId: _, ...rest } = (await answer.json()) as Record<string, unknown>
        return JSON.stringify([answer.status, rest])
      }),
    )
    expect(new Set(answers).size).toBe(1)
    expect(await call(key)).toBe(200)
  })

  it('is not tried for ever: the address is locked out', async () => {
    const statuses: number[] = []
    for (let time = 0; time < 8; time += 1)
      statuses.push((await report(`[${' '.repeat(time)}]`, { key: attacker.privateKey })).status)
    expect(statuses.at(0)).toBe(401)
    expect(statuses.at(-1)).toBe(429)
  })

  it('that is huge, or no report, is refused', async () => {
    const huge = await report(`[${' '.repeat(1024 * 1024)}]`)
    expect(huge.status).toBe(413)
    for (const body of ['{}', 'null', '[1]', '[{"token":1,"type":"x"}]', Buffer.from([0xff]), '']) {
      expect((await report(body)).status).toBe(400)
    }
    const many = JSON.stringify(Array.from({ length: 1_001 }, () => match('x')))
    expect((await report(many)).status).toBe(400)
  })

  it('is no other method', async () => {
    const answer = await fetch(`${test.url}/.portcullis/leaks/github`)
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST'])
  })
})

describe('what is told of a leak', () => {
  it('never holds the key', async () => {
    const { id, key } = await fresh()
    const body = JSON.stringify([{ ...match(key), url: `https://github.com/?${key}`, source: key }])
    expect(await (await report(body)).text()).not.toContain(key)
    const audit = (): string =>
      readdirSync(join(test.folder, 'audit'))
        .filter((name) => name.endsWith('.jsonl'))
        .map((name) => readFileSync(join(test.folder, 'audit', name), 'utf8'))
        .join('')
    await expect.poll(audit).toContain(`"keyId":"${id}","owner":"acme","action":"revoked","source":"unknown"`)
    expect(audit() + test.lines.join('')).not.toContain(key)
  })
})

describe('the endpoint for leak reports', () => {
  it('is not there where nobody may report, and goes and comes with a reload', async () => {
    await using other = await startTestGateway(configuration(''))
    const ask = async (): Promise<number> =>
      (await fetch(`${other.url}/.portcullis/leaks/github`, { method: 'POST', body: '[]' })).status
    expect(await ask()).toBe(404)
    const inline = pem(github.publicKey)
      .trim()
      .split('\n')
      .map((line) => `          ${line}`)
    const leaks = ['leaks:', '  github:', '    keys:', '      - id: gh-1', '        key: |', ...inline].join(
      '\n',
    )
    expect(await other.change(configuration(leaks))).toBe(true)
    expect(await ask()).toBe(401)
    expect(await other.change(configuration(''))).toBe(true)
    expect(await ask()).toBe(404)
  })
})
