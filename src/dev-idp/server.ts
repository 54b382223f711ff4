// Starts and stops the provider: one listener on loopback, behind it a provider that is rebuilt when keys or clients change.
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { JWK } from 'jose'
import { generateSigningKeys, parseSigningKeys, publicKeys, rotateSigningKeys } from './keys.ts'
import type { SigningKeys } from './keys.ts'
import { answerInteraction } from './login.ts'
import { createMemoryAdapter } from './memory-adapter.ts'
import { findUser, mintAccessToken, mintIdToken } from './mint.ts'
import type { IdTokenOverrides, Mint, TokenOverrides } from './mint.ts'
import { buildProvider } from './provider.ts'
import type { OpenIdProvider, ProviderParts } from './provider.ts'
import { refuseOutsideLoopback } from './refuse-outside-loopback.ts'
import { readState, writeState } from './state.ts'
import { answerUserinfo } from './userinfo.ts'
import { defaultClients, defaultUsers } from './users.ts'
import type { DevClient, DevUser } from './users.ts'

/** How to start a provider. */
export interface DevProviderOptions {
  /** The `aud` of access tokens, for example `https://catalog.example`. */
  readonly audience: string
  /**
   * 0 takes a free one. If absent, the port of the state file is taken when it is free, so that tokens outlive a
   * restart, else any free one.
   */
  readonly port?: number
  /** A literal loopback address; default `127.0.0.1`. */
  readonly host?: string
  readonly users?: readonly DevUser[]
  readonly clients?: readonly DevClient[]
  /** Keeps the signing keys over restarts; made with mode 0600 if it is missing. */
  readonly stateFile?: string
  /** A private JSON Web Key Set, newest first; wins over the state file's. */
  readonly keys?: { readonly keys: readonly JWK[] }
  /** Seconds; default one hour. */
  readonly accessTokenLifetime?: number
  /** Lets clients register themselves (RFC 7591), as those that find their own way do; default off. */
  readonly registration?: boolean
  /** Milliseconds since the epoch; the library itself always uses the machine's clock. */
  readonly now?: () => number
  /** Faults of the provider itself, never a refusal; by default a process warning. */
  readonly onError?: (error: Error) => void
}

/** A running provider. */
export interface DevProvider {
  readonly issuer: string
  readonly audience: string
  readonly users: readonly DevUser[]
  readonly clients: readonly DevClient[]
  /** @throws {Error} if there is no such user */
  mintAccessToken(userName: string, overrides?: TokenOverrides): Promise<string>
  /** @throws {Error} if there is no such user */
  mintIdToken(userName: string, overrides?: IdTokenOverrides): Promise<string>
  /** Signs with new keys from now on; the old ones stay published for one more rotation. */
  rotateKeys(): Promise<void>
  /** Takes other clients, for example once the port of the application is known. Sessions stay. */
  replaceClients(clients: readonly DevClient[]): Promise<void>
  /** The key set as it is published. */
  publicKeys(): { keys: JWK[] }
  close(): Promise<void>
}

/**
 * Starts an OpenID provider for development and tests.
 *
 * @throws {Error} if the address is not loopback, the port is taken or the state file cannot be used
 */
export async function startDevProvider(options: DevProviderOptions): Promise<DevProvider> {
  const host = options.host ?? '127.0.0.1'
  refuseOutsideLoopback(host)
  const state = options.stateFile === undefined ? undefined : await readState(options.stateFile)
  const keys =
    options.keys === undefined
      ? (state?.signingKeys ?? (await generateSigningKeys()))
      : parseSigningKeys(options.keys)

  let answer: Answer = (_request, response) => response.writeHead(503).end()
  const server = createServer((request, response) => answer(request, response))
  const port = await listen(server, host, options.port, state?.issuer)
  const origin = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  try {
    return await runProvider(options, origin, keys, server, (next) => (answer = next))
  } catch (error) {
    await stop(server)
    throw error
  }
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void

async function runProvider(
  options: DevProviderOptions,
  issuer: string,
  initialKeys: SigningKeys,
  server: Server,
  install: (answer: Answer) => void,
): Promise<DevProvider> {
  const now = options.now ?? Date.now
  let parts: ProviderParts = {
    issuer,
    audience: options.audience,
    accessTokenLifetime: options.accessTokenLifetime ?? 3600,
    registration: options.registration ?? false,
    users: options.users ?? defaultUsers(),
    clients: options.clients ?? defaultClients(),
    keys: initialKeys,
    adapter: createMemoryAdapter(Date.now),
    cookieKeys: [randomBytes(32).toString('base64url')],
    onError: options.onError ?? ((error) => process.emitWarning(error)),
  }
  const replace = async (change: Partial<ProviderParts>): Promise<void> => {
    const next = { ...parts, ...change }
    const provider = await buildProvider(next)
    if (options.stateFile !== undefined) {
      await writeState(options.stateFile, { ...next, signingKeys: next.keys })
    }
    parts = next
    install(answerWith(next, provider))
  }
  await replace({})
  const mint = (): Mint => ({ ...parts, lifetime: parts.accessTokenLifetime, now })

  return {
    issuer,
    audience: parts.audience,
    users: parts.users,
    get clients() {
      return parts.clients
    },
    mintAccessToken: async (name, overrides) =>
      mintAccessToken(mint(), findUser(parts.users, name), overrides),
    mintIdToken: async (name, overrides) => mintIdToken(mint(), findUser(parts.users, name), overrides),
    rotateKeys: async () => replace({ keys: await rotateSigningKeys(parts.keys) }),
    replaceClients: async (clients) => replace({ clients }),
    publicKeys: () => publicKeys(parts.keys),
    close: async () => stop(server),
  }
}

function answerWith(parts: ProviderParts, provider: OpenIdProvider): Answer {
  const library = provider.callback()
  const authority = new URL(parts.issuer).host
  const route = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    // A page that got itself a name for this address (DNS rebinding) must not read answers as this origin.
    if (request.headers.host !== authority) {
      response.writeHead(421, { 'Content-Type': 'text/plain' }).end(`use ${parts.issuer}\n`)
      return
    }
    const path = (request.url ?? '/').split('?')[0] ?? '/'
    if (path.startsWith('/interaction/')) await answerInteraction({ ...parts, provider }, request, response)
    else if (path === '/me') await answerUserinfo(parts, provider, request, response)
    else await library(request, response)
  }
  return (request, response) => {
    route(request, response).catch((error: unknown) => {
      parts.onError(error as Error)
      if (!response.headersSent) response.writeHead(500)
      response.end()
    })
  }
}

async function listen(
  server: Server,
  host: string,
  port: number | undefined,
  earlierIssuer: string | undefined,
): Promise<number> {
  const earlier =
    port === undefined && earlierIssuer !== undefined ? Number(new URL(earlierIssuer).port) : undefined
  try {
    return await listenOn(server, host, port ?? earlier ?? 0)
  } catch (error) {
    if (earlier === undefined || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    return listenOn(server, host, 0)
  }
}

function listenOn(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve((server.address() as AddressInfo).port)
    })
  })
}

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
