import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startTestIssuer, type TestIssuer } from '../../../test/harness/issuer.ts'
import { run } from '../main.ts'

let folder = ''
let issuer: TestIssuer
let gone = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portcullis-check-online-'))
  issuer = await startTestIssuer()
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  gone = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  await new Promise((resolve) => server.close(resolve))
  await writeFile(
    join(folder, 'portcullis.yaml'),
    `version: 1
providers:
  corp: { type: oidc, issuer: "${issuer.issuer}" }
  gone:
    type: oidc
    issuer: "${gone}"
authenticators:
  corp: { type: jwt, provider: corp, audience: https://api.example.com, maxLifetime: 1h }
  gone: { type: jwt, provider: gone, audience: https://api.example.com, maxLifetime: 1h }
upstreams: { items: { targets: [http://127.0.0.1:7001] } }
routes:
  - { id: items, match: { path: /items }, authenticate: [corp, gone], authorize: { scopes: [items:read] }, upstream: items }
`,
  )
})

afterEach(() => {
  // The command sets it, and it would become that of the test run.
  process.exitCode = undefined
})

afterAll(async () => {
  await issuer.close()
  await rm(folder, { recursive: true })
})

async function check(...args: readonly string[]): Promise<{ readonly code: number; readonly out: string }> {
  let out = ''
  const sink = (keep: boolean): Writable =>
    new Writable({
      write(chunk, _encoding, done) {
        if (keep) out += String(chunk)
        done()
      },
    })
  const context = { env: {}, cwd: folder, stdin: Readable.from([]), stdout: sink(true), stderr: sink(false) }
  const code = await run(['check', ...args], context)
  return { code, out }
}

describe('check', () => {
  it('asks nobody without --online', async () => {
    const before = issuer.fetches
    expect(await check()).toMatchObject({ code: 0, out: expect.not.stringContaining('provider-') })
    expect(issuer.fetches).toBe(before)
  })
})

describe('check --online', () => {
  it('places what it finds in the file, in the order of the file', async () => {
    const { code, out } = await check('--online')
    expect(code).toBe(1)
    const found = out.split('\n').filter((line) => line.includes('[provider-'))
    expect(found).toEqual([
      expect.stringMatching(/portcullis\.yaml:3:\d+ providers\.corp: note: .*\[provider-few-keys\]$/),
      expect.stringMatching(
        /portcullis\.yaml:4:\d+ providers\.gone: error: .*ECONNREFUSED.*\[provider-unreachable\]$/,
      ),
    ])
    expect(out).toContain('fix: ')
  })

  it('speaks to tools', async () => {
    const json = JSON.parse((await check('--online', '--json')).out) as { id: string; severity: string }[]
    const found = json.map(({ id, severity }) => `${severity} ${id}`)
    expect(found.filter((each) => each.includes(' provider-'))).toEqual([
      'note provider-few-keys',
      'error provider-unreachable',
    ])
    const sarif = JSON.parse((await check('--online', '--format', 'sarif')).out) as {
      runs: [{ tool: { driver: { rules: { id: string }[] } }; results: { ruleId: string }[] }]
    }
    const known = sarif.runs[0].tool.driver.rules.map(({ id }) => id)
    for (const { ruleId } of sarif.runs[0].results) expect(known).toContain(ruleId)
    expect((await check('--online', '--format', 'github')).out).toMatch(
      /^::notice file=.*portcullis\.yaml,line=3.*title=provider-few-keys::[\s\S]*^::error file=.*line=4/m,
    )
  })
})
