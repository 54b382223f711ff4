/** OCSP answers that the gateway sends along, as openssl's client sees and checks them. */
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { ocspAnswer } from '../support/ocsp.ts'
import { issueAuthority, issueClient } from '../support/pki.ts'

const authority = issueAuthority({ subject: 'authority' })
const main = issueClient({ subject: 'main.example', issuer: authority })
const other = issueClient({ subject: 'other.example', issuer: authority })

const text = `
version: 1
listeners:
  - address: "127.0.0.1:0"
    tls:
      certificate: ./main.pem
      key: ./main.key
      ocsp: ./main.ocsp
      also: [{ names: [other.example], certificate: ./other.pem, key: ./other.key, ocsp: ./other.ocsp }]
upstreams: { items: { targets: ["http://127.0.0.1:9"] } }
routes: [{ id: all, match: { path: /* }, authenticate: none, upstream: items }]
`

/** @returns what `openssl s_client -status` says, which checks the signature of an answer */
function status(test: TestGateway, name: string): Promise<string> {
  return new Promise((resolve) => {
    const child = execFile(
      'openssl',
      [
        ['s_client', '-status', '-connect', `127.0.0.1:${test.port}`, '-servername', name],
        ['-CAfile', join(test.folder, 'ca.pem')],
      ].flat(),
      (_error, out) => resolve(out),
    )
    child.stdin!.end()
  })
}

const start = (): Promise<TestGateway> =>
  startTestGateway(text, {
    watch: true,
    files: {
      'ca.pem': authority.pem,
      'main.pem': main.pem + authority.pem,
      'main.key': main.keyPem,
      'other.pem': other.pem + authority.pem,
      'other.key': other.keyPem,
    },
  })

describe('an OCSP answer beside a certificate', () => {
  it('is missed with a warning, taken over once it is there, and sent to clients that ask', async () => {
    await using test = await start()
    expect(await status(test, 'main.example')).toContain('OCSP response: no response sent')
    expect(test.lines.filter((line) => line.includes('.ocsp: it cannot be read'))).toHaveLength(2)
    await writeFile(join(test.folder, 'other.ocsp'), ocspAnswer({ issuer: authority, about: other }))
    await expect.poll(() => status(test, 'other.example'), { timeout: 15_000 }).toContain('Cert Status: good')
    expect(await status(test, 'other.example')).toContain('OCSP Response Status: successful')
    expect(await status(test, 'main.example')).toContain('OCSP response: no response sent')
  })
})
