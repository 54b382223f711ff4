// Before anything is measured: does the target do what its row says? A proxy that lets everybody in is fast, too.
import { request } from 'node:http'
import { request as requestTls } from 'node:https'
import type { Caller } from './callers.ts'
import { indent } from './processes.ts'
import type { StartedRow } from './rows.ts'
import { requestPath, seenPath, upstreamBody } from './targets/target.ts'
import type { Seen } from './targets/target.ts'

/**
 * Sends requests of a good caller, of one without a credential, and of one with a spoilt one; and asks the upstream what
 * it was told.
 *
 * @throws {Error} telling what came instead, and the target's own output
 */
export async function probe(name: string, row: StartedRow): Promise<void> {
  const complain = (text: string): never => {
    throw new Error(`${name}: ${text}\nIt printed:\n${indent(row.target.process.output())}`)
  }
  const expectStatus = async (what: string, caller: Caller, status: number): Promise<void> => {
    const found = await ask(row.target.url + requestPath, caller).catch(failure)
    if (found.status === status && (status !== 200 || found.body === upstreamBody())) return
    complain(`expected ${status} to ${what}, got ${found.status}:\n${indent(found.body)}`)
  }

  await expectStatus('a good request', callerFor(row, requestPath), 200)
  const good = callerFor(row, requestPath)
  if (row.protection === 'none') return
  await expectStatus('a request without a credential', {}, 401)
  for (const [field, value] of Object.entries(good)) {
    await expectStatus(`a request with a spoilt ${field}`, { ...good, [field]: spoil(value) }, 401)
  }
  const { body } = await ask(row.target.url + seenPath, callerFor(row, seenPath)).catch(failure)
  const seen = read(body) ?? complain(`the upstream said:\n${indent(body)}`)
  if (seen.subject === '') complain('the upstream was not told who calls')
  if (seen.authorization !== '' || seen.key !== '') complain('the upstream saw the credential')
  if (row.protection === 'assertion' && seen.assertion === '') complain('the upstream got no assertion')
}

/** Sends one request and waits for its whole answer. A certificate is taken as it comes: it was made for this run. */
export function ask(
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<{ readonly status: number; readonly body: string }> {
  const options = { headers, agent: false, timeout: 10_000, rejectUnauthorized: false } as const
  return new Promise((resolve, reject) => {
    const send = url.startsWith('https:') ? requestTls : request
    const outgoing = send(url, options, (response) => {
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

function failure(error: unknown): { readonly status: number; readonly body: string } {
  return { status: 0, body: String(error) }
}

/** The first caller of the list, or a new one where each is good once. */
function callerFor({ callers, target }: StartedRow, path: string): Caller {
  if (callers === undefined) return {}
  if (!('make' in callers)) return callers[0] ?? {}
  return callers.make(`${target.url}${path.split('?')[0]}`, 1)[0] ?? {}
}

function read(body: string): Seen | undefined {
  try {
    return JSON.parse(body) as Seen
  } catch {
    return undefined
  }
}

/** Changes one character well inside the last part: the last character of base64url may carry no bits at all. */
function spoil(credential: string): string {
  const at = credential.length - 10
  return credential.slice(0, at) + (credential[at] === 'A' ? 'B' : 'A') + credential.slice(at + 1)
}
