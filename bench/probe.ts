// Before anything is measured: does the target do what its row says? A proxy that lets everybody in is fast, too.
import { request } from 'node:http'
import type { StartedRow } from './rows.ts'
import { requestPath, upstreamBody } from './targets/target.ts'
import { indent } from './processes.ts'

/**
 * Sends a request with a good credential, one without, and one with a spoilt one.
 *
 * @throws {Error} telling what came instead, and the target's own output
 */
export async function probe(name: string, row: StartedRow): Promise<void> {
  const good = row.credentials?.values[0]
  const header = row.credentials?.header ?? 'Accept'
  await expectStatus(name, row, 'a good request', { [header]: good ?? 'application/json' }, 200)
  if (!row.isProtected || good === undefined) return
  await expectStatus(name, row, 'a request without a credential', {}, 401)
  await expectStatus(name, row, 'a request with a spoilt credential', { [header]: spoil(good) }, 401)
}

/** Sends one request and waits for its whole answer. */
export function ask(
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { headers, agent: false, timeout: 10_000 }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (body += chunk))
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body }))
      response.once('error', reject)
    })
    outgoing.once('timeout', () => outgoing.destroy(new Error('no answer within 10 s')))
    outgoing.once('error', reject)
    outgoing.end()
  })
}

async function expectStatus(
  name: string,
  row: StartedRow,
  what: string,
  headers: Readonly<Record<string, string>>,
  status: number,
): Promise<void> {
  const found = await ask(row.target.url + requestPath, headers).catch((error: unknown) => ({
    status: 0,
    body: String(error),
  }))
  if (found.status === status && (status !== 200 || found.body === upstreamBody())) return
  throw new Error(
    `${name}: expected ${status} to ${what}, got ${found.status}:\n${indent(found.body)}\nIt printed:\n${indent(row.target.process.output())}`,
  )
}

/** Changes one character well inside the last part: the last character of base64url may carry no bits at all. */
function spoil(credential: string): string {
  const at = credential.length - 10
  return credential.slice(0, at) + (credential[at] === 'A' ? 'B' : 'A') + credential.slice(at + 1)
}
