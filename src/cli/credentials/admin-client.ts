/** Key and revocation commands through a running gateway's admin API. */
import { isIP } from 'node:net'
import type { AssertionKeyManager, AssertionKeyView } from '../../keys/assertion-keys.ts'
import type { CreatedKey, KeyManager, KeyPage, RotatedKey } from '../../keys/manager.ts'
import { KeyProblem, type Fault, type KeyProblemKind } from '../../keys/problem.ts'
import type { Revoked, RevocationManager, RevocationView } from '../../keys/revocations.ts'
import type { KeyView } from '../../keys/view.ts'
import type { ProviderView } from '../../gateway/provider-view.ts'
import { CommandError } from '../context.ts'

export interface ProviderDesk {
  list(): Promise<readonly ProviderView[]>
  /** @throws CommandError when there is no such provider */
  refresh(name: string): Promise<ProviderView>
}

type Call = <Answer>(method: 'GET' | 'POST', path: string, body?: unknown) => Promise<Answer>

/**
 * @param token from the environment: on a command line everybody on the machine could read it
 * @throws CommandError when the address or the token will not do
 */
export function connectToAdmin(
  address: string,
  token: string | undefined,
): {
  readonly keys: KeyManager
  readonly revocations: RevocationManager
  readonly assertionKeys: AssertionKeyManager
  readonly providers: ProviderDesk
} {
  const base = baseOf(address)
  if (token === undefined || token === '') {
    throw new CommandError('--admin needs the admin token in PORTCULLIS_ADMIN_TOKEN', 2)
  }
  const call: Call = (method, path, body) => callAdmin(`${base}${path}`, token, method, body)
  return {
    keys: remoteKeys(call),
    revocations: remoteRevocations(call),
    assertionKeys: remoteAssertionKeys(call),
    providers: remoteProviders(call),
  }
}

function remoteProviders(call: Call): ProviderDesk {
  const path = '/api/v1/providers'
  return {
    list: async () => (await call<{ items: ProviderView[] }>('GET', path)).items,
    refresh: (name) => call<ProviderView>('POST', `${path}/${encodeURIComponent(name)}/refresh`),
  }
}

function remoteKeys(call: Call): KeyManager {
  const of = (id: string): string => `/api/v1/keys/${encodeURIComponent(id)}`
  return {
    create: (input) => call<CreatedKey>('POST', '/api/v1/keys', input),
    list: async ({ after, limit, owner }): Promise<KeyPage> => {
      const query = new URLSearchParams({ limit: String(limit) })
      if (after !== undefined) query.set('after', after)
      if (owner !== undefined) query.set('owner', owner)
      const page = await call<{ items: KeyView[]; next?: string }>('GET', `/api/v1/keys?${query.toString()}`)
      return { keys: page.items, ...(page.next === undefined ? {} : { next: page.next }) }
    },
    show: (id) => call<KeyView>('GET', of(id)),
    rotate: (id, input) => call<RotatedKey>('POST', `${of(id)}/rotate`, input),
    revoke: (id, reason) => call<KeyView>('POST', `${of(id)}/revoke`, reason === undefined ? {} : { reason }),
    release: (id, reason) =>
      call<KeyView>('POST', `${of(id)}/release`, reason === undefined ? {} : { reason }),
    import: (list) => call('POST', '/api/v1/keys/import', list),
  }
}

function remoteRevocations(call: Call): RevocationManager {
  return {
    revoke: (input) => call<Revoked>('POST', '/api/v1/revocations', input),
    end: async (input) => {
      const ended = await call<{ revocations: RevocationView[] }>('POST', '/api/v1/revocations/end', input)
      return ended.revocations
    },
    list: async () => {
      const all: RevocationView[] = []
      for (;;) {
        const query = new URLSearchParams({ limit: '10000', offset: String(all.length) })
        const { items, total } = await call<{ items: RevocationView[]; total: number }>(
          'GET',
          `/api/v1/revocations?${query.toString()}`,
        )
        all.push(...items)
        if (items.length === 0 || all.length >= total) return all
      }
    },
  }
}

function remoteAssertionKeys(call: Call): AssertionKeyManager {
  const path = '/api/v1/assertion-keys'
  return {
    list: async () => (await call<{ items: AssertionKeyView[] }>('GET', path)).items,
    rotate: async (input) =>
      (await call<{ items: AssertionKeyView[] }>('POST', `${path}/rotate`, input)).items,
  }
}

function baseOf(address: string): string {
  const url = URL.parse(address)
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new CommandError('--admin: must be an http: or https: URL, such as http://127.0.0.1:9901', 2)
  }
  const { hostname } = url
  const isLoopback =
    hostname === 'localhost' || hostname === '[::1]' || (isIP(hostname) === 4 && hostname.startsWith('127.'))
  if (url.protocol === 'http:' && !isLoopback) {
    throw new CommandError(
      '--admin: plain http: would show the token to the network; use https: off loopback',
      2,
    )
  }
  return url.origin
}

interface ProblemDocument {
  readonly detail?: string
  readonly errors?: readonly Fault[]
}

async function callAdmin<Answer>(
  url: string,
  token: string,
  method: 'GET' | 'POST',
  body: unknown,
): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    // A redirect would carry the token to wherever it points.
    redirect: 'error',
    signal: AbortSignal.timeout(300_000),
  }).catch((error: unknown) => {
    throw new CommandError(`cannot reach the gateway at ${new URL(url).origin}: ${causeOf(error)}`)
  })
  const text = await response.text()
  const answer = parse(text)
  if (response.ok && answer !== undefined) return answer as Answer
  throw problemOf(response.status, answer as ProblemDocument | undefined)
}

function problemOf(status: number, problem: ProblemDocument | undefined): KeyProblem | CommandError {
  const detail = problem?.detail ?? 'its answer is none of ours'
  const kinds: Readonly<Record<number, KeyProblemKind>> = { 400: 'invalid', 409: 'conflict' }
  const kind = kinds[status]
  if (problem === undefined || kind === undefined) {
    return new CommandError(status === 404 ? detail : `the gateway answered ${status}: ${detail}`)
  }
  const faults = problem.errors ?? []
  return new KeyProblem(kind, faults.length > 0 ? faults : [{ path: '', message: detail }])
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

function causeOf(error: unknown): string {
  const { cause, message } = error as {
    readonly cause?: { readonly code?: string; readonly message?: string }
  } & Error
  return cause?.code ?? cause?.message ?? message
}
