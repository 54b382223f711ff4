/** A request as the engine sees it, over the raw field lines: no object of all headers is built. */
import { connectionOptions, hopByHopNames, isNamed, lowerName } from '../engine/fields.ts'
import type { ClientCertificate } from '../engine/certificates/client-certificate.ts'
import type { ClientFacts } from './forwarded.ts'
import type { GatewayRequest } from '../engine/request.ts'
import type { FieldLines, ServerRequest } from '../exchange.ts'

const noValues: readonly string[] = Object.freeze([])

/**
 * @param target the one normalised path, and the query as sent
 * @param client by the rule of trusted proxies
 */
export function toGatewayRequest(
  server: ServerRequest,
  target: { readonly path: string; readonly query: string },
  client: ClientFacts,
  context: RequestContext,
): GatewayRequest {
  return new FieldLinesRequest(server, target, client, context)
}

/** What is known of a request beyond its own bytes; asked only when something needs it. */
export interface RequestContext {
  /** The public origin that the request was sent to; undefined when it is none of ours. */
  publicOrigin(server: ServerRequest, client: ClientFacts): string | undefined
  /** The client certificate that counts: the connection's, or the one that a trusted proxy handed over. */
  certificate(server: ServerRequest, client: ClientFacts): ClientCertificate | undefined
}

class FieldLinesRequest implements GatewayRequest {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly host: string
  readonly scheme: 'http' | 'https'
  readonly clientIp: string
  readonly #fields: FieldLines
  readonly #server: ServerRequest
  readonly #client: ClientFacts
  readonly #context: RequestContext
  #hasLooked = false
  #certificate: ClientCertificate | undefined = undefined
  /** What `Connection` names; looked for by the first question that needs it. */
  #options: ReadonlySet<string> | undefined = undefined

  constructor(
    server: ServerRequest,
    target: { readonly path: string; readonly query: string },
    client: ClientFacts,
    context: RequestContext,
  ) {
    this.method = server.method
    this.path = target.path
    this.query = target.query
    this.host = client.host
    this.scheme = client.scheme
    this.clientIp = client.clientIp
    this.#server = server
    this.#client = client
    this.#context = context
    this.#fields = server.fields
  }

  get target(): string {
    return this.#server.target
  }

  get publicOrigin(): string | undefined {
    return this.#context.publicOrigin(this.#server, this.#client)
  }

  get hasBody(): boolean {
    return this.#server.hasBody
  }

  get certificate(): ClientCertificate | undefined {
    if (!this.#hasLooked) {
      this.#hasLooked = true
      this.#certificate = this.#context.certificate(this.#server, this.#client)
    }
    return this.#certificate
  }

  header(name: string): string | undefined {
    const at = this.#find(name, 0)
    return at === -1 ? undefined : this.#fields[at + 1]
  }

  count(name: string): number {
    let count = 0
    for (let at = this.#find(name, 0); at !== -1; at = this.#find(name, at + 2)) count += 1
    return count
  }

  values(name: string): readonly string[] {
    let values: string[] | undefined
    for (let at = this.#find(name, 0); at !== -1; at = this.#find(name, at + 2))
      (values ??= []).push(this.#fields[at + 1]!)
    return values ?? noValues
  }

  names(): readonly string[] {
    const names = new Set<string>()
    for (let index = 0; index < this.#fields.length; index += 2) {
      const name = lowerName(this.#fields[index]!)
      if (!this.#isHidden(name)) names.add(name)
    }
    return [...names]
  }

  /** @returns where the next line of this name begins, or -1. A few comparisons: no table of all names is made for a few questions. */
  #find(name: string, from: number): number {
    const fields = this.#fields
    for (let index = from; index < fields.length; index += 2)
      if (isNamed(fields[index]!, name)) return this.#isHidden(name) ? -1 : index
    return -1
  }

  /** Of this connection only, by the protocol or by its own word. */
  #isHidden(name: string): boolean {
    if (hopByHopNames.has(name)) return true
    if (this.#options === undefined) this.#options = optionsOf(this.#fields)
    return this.#options.has(name)
  }
}

const none: ReadonlySet<string> = new Set()

/** The usual `Connection: keep-alive` names nothing that is not hidden anyway: no set is made for it. */
function optionsOf(fields: FieldLines): ReadonlySet<string> {
  for (let index = 0; index < fields.length; index += 2) {
    if (!isNamed(fields[index]!, 'connection')) continue
    const value = fields[index + 1]!
    if (value !== 'keep-alive' && value !== 'close') return connectionOptions(fields) ?? none
  }
  return none
}
