/** A request as the engine sees it, over the raw field lines: no object of all headers is built. */
import { connectionOptions, hopByHopNames, lowerName } from '../engine/fields.ts'
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
  /** Lower-case names, one for each line; empty for lines that nothing may see. Made by the first question. */
  #lower: readonly string[] | undefined = undefined

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
    const at = this.#names().indexOf(name)
    return at === -1 ? undefined : this.#fields[at * 2 + 1]
  }

  count(name: string): number {
    let count = 0
    for (const each of this.#names()) if (each === name) count += 1
    return count
  }

  values(name: string): readonly string[] {
    const names = this.#names()
    let values: string[] | undefined
    for (let at = names.indexOf(name); at !== -1; at = names.indexOf(name, at + 1))
      (values ??= []).push(this.#fields[at * 2 + 1]!)
    return values ?? noValues
  }

  names(): readonly string[] {
    const names = new Set(this.#names())
    names.delete('')
    return [...names]
  }

  #names(): readonly string[] {
    return (this.#lower ??= visibleNames(this.#fields))
  }
}

function visibleNames(fields: FieldLines): readonly string[] {
  const names: string[] = []
  let hasOptions = false
  for (let index = 0; index < fields.length; index += 2) {
    const name = lowerName(fields[index]!)
    const isHidden = hopByHopNames.has(name)
    // The usual `Connection: keep-alive` names nothing that is not hidden anyway.
    if (isHidden && name === 'connection' && !isPlainOption(fields[index + 1]!)) hasOptions = true
    names.push(isHidden ? '' : name)
  }
  return hasOptions ? withoutOptions(names, fields) : names
}

function isPlainOption(value: string): boolean {
  return value === 'keep-alive' || value === 'close'
}

function withoutOptions(names: readonly string[], fields: FieldLines): readonly string[] {
  const hidden = connectionOptions(fields)
  return names.map((name) => (hidden?.has(name) === true ? '' : name))
}
