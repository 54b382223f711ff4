/** The example of a partner with client certificates: its script makes them with OpenSSL, and curl calls with them. */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { startTestUpstream, type TestUpstream } from '../harness/upstream.ts'

const run = promisify(execFile)
const example = join(import.meta.dirname, '..', '..', 'examples', 'partner-mtls')

describe('partner-mtls', () => {
  let folder: string
  let upstream: TestUpstream
  let test: TestGateway

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'portcullis-partner-'))
    await run('sh', [join(example, 'make-certificates.sh'), folder])
    upstream = await startTestUpstream()
    const text = await readFile(join(example, 'portcullis.yaml'), 'utf8')
    test = await startTestGateway(
      text
        .replaceAll('./tls/', `${folder}/`)
        .replace('127.0.0.1:8443', '127.0.0.1:0')
        .replace('http://127.0.0.1:7001', upstream.url),
    )
  }, 30_000)
  afterAll(async () => {
    await test.stop()
    await upstream.close()
    await rm(folder, { recursive: true, force: true })
  })

  async function curl(program: string | undefined, ...more: readonly string[]): Promise<string> {
    const file = (name: string): string => join(folder, name)
    const client =
      program === undefined ? [] : ['--cert', file(`${program}.pem`), '--key', file(`${program}.key`)]
    const { stdout } = await run('curl', [
      '-sS',
      '--cacert',
      file('server.pem'),
      ...client,
      '-w',
      '\n%{http_code}',
      ...more,
      `https://127.0.0.1:${test.port}/orders/1`,
    ])
    return stdout.split('\n').at(-1) ?? ''
  }

  it('lets the partner’s programs in, and nobody else', async () => {
    expect(await curl('billing')).toBe('200')
    expect(upstream.requests.at(-1)?.headers['x-auth-subject']).toBe('spiffe://partner.example/billing')
    expect(await curl('reports')).toBe('200')
    expect(await curl(undefined)).toBe('401')
    expect(await curl('billing', '-d', 'x')).toBe('200')
    expect(await curl('reports', '-d', 'x')).toBe('403')
  })

  it('speaks TLS 1.2 as well', async () => {
    expect(await curl('billing', '--tls-max', '1.2')).toBe('200')
  })

  it('turns away whom the partner takes back', async () => {
    await run('sh', [join(example, 'make-certificates.sh'), folder, 'revoke', 'billing'])
    await expect.poll(() => curl('billing'), { timeout: 8_000 }).toBe('401')
    expect(await curl('reports')).toBe('200')
  })
})
