// The sign-in form: the one interaction that a browser has with this provider. Consent is automatic.
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { loginPage, messagePage } from './pages.ts'
import type { Page } from './pages.ts'
import { redirectOrigins } from './provider.ts'
import type { OpenIdProvider } from './provider.ts'
import type { DevClient, DevUser } from './users.ts'

const maximumForm = 4096

/** What the form needs to know. */
export interface LoginParts {
  readonly provider: OpenIdProvider
  readonly users: readonly DevUser[]
  readonly clients: readonly DevClient[]
}

/** Answers everything under `/interaction/`: shows the form, and takes it. */
export async function answerInteraction(
  parts: LoginParts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { provider } = parts
  let details: Awaited<ReturnType<OpenIdProvider['interactionDetails']>>
  try {
    details = await provider.interactionDetails(request, response)
  } catch {
    send(response, 400, messagePage('Sign-in expired', 'Start again from the application.'))
    return
  }
  if (details.prompt.name !== 'login') {
    await provider.interactionFinished(request, response, { consent: {} })
    return
  }
  const form = {
    action: `/interaction/${details.uid}`,
    client: String(details.params['client_id']),
    formTargets: formTargets(parts.clients, details.params['redirect_uri']),
  }
  if (request.method !== 'POST') {
    const hint = details.params['login_hint']
    send(response, 200, loginPage(typeof hint === 'string' ? { ...form, name: hint } : form))
    return
  }
  const fields = await readForm(request)
  const name = fields?.get('name') ?? ''
  const user = verifyPassword(parts.users, name, fields?.get('password') ?? '')
  if (user === undefined) {
    send(response, 401, loginPage({ ...form, name, error: 'Unknown user name or wrong password.' }))
    return
  }
  await provider.interactionFinished(request, response, { login: { accountId: user.name, remember: false } })
}

/** Where a client that registered itself wants its answer is known from what it asked; the library has checked it. */
function formTargets(clients: readonly DevClient[], redirectUri: unknown): readonly string[] {
  const known = redirectOrigins(clients)
  return typeof redirectUri === 'string' ? [...new Set([...known, new URL(redirectUri).origin])] : known
}

function verifyPassword(users: readonly DevUser[], name: string, password: string): DevUser | undefined {
  const user = users.find((candidate) => candidate.name === name)
  const matches = timingSafeEqual(digest(user?.password ?? ''), digest(password))
  return matches ? user : undefined
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

async function readForm(request: IncomingMessage): Promise<URLSearchParams | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maximumForm) return undefined
    chunks.push(chunk)
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'))
}

function send(response: ServerResponse, status: number, page: Page): void {
  response.writeHead(status, { ...page.headers })
  response.end(page.html)
}
