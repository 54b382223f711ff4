import type { ClientCertificate } from '../../src/engine/certificates/client-certificate.ts'
import type { GatewayRequest } from '../../src/engine/request.ts'

export interface RequestParts {
  readonly method?: string
  readonly path?: string
  readonly target?: string
  readonly query?: string
  readonly host?: string
  readonly scheme?: 'http' | 'https'
  readonly clientIp?: string
  readonly publicOrigin?: string
  readonly certificate?: ClientCertificate
  readonly hasBody?: boolean
  /** Field lines in order; a list is several lines of one name. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
}

/** A request as a stage sees it, from its parts. */
export function gatewayRequest(parts: RequestParts = {}): GatewayRequest {
  const fields = new Map<string, readonly string[]>()
  for (const [name, value] of Object.entries(parts.headers ?? {})) {
    fields.set(name.toLowerCase(), typeof value === 'string' ? [value] : value)
  }
  const values = (name: string): readonly string[] => fields.get(name) ?? []
  return {
    method: parts.method ?? 'GET',
    path: parts.path ?? '/',
    target:
      parts.target ??
      `${parts.path ?? '/'}${parts.query === undefined || parts.query === '' ? '' : `?${parts.query}`}`,
    query: parts.query ?? '',
    host: parts.host ?? 'api.example.com',
    scheme: parts.scheme ?? 'https',
    clientIp: parts.clientIp ?? '192.0.2.1',
    publicOrigin: parts.publicOrigin ?? `${parts.scheme ?? 'https'}://${parts.host ?? 'api.example.com'}`,
    certificate: parts.certificate,
    hasBody: parts.hasBody ?? false,
    header: (name) => values(name)[0],
    count: (name) => values(name).length,
    values,
    names: () => [...fields.keys()],
  }
}
