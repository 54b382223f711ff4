import type { GatewayRequest } from '../../src/engine/request.ts'

export interface RequestParts {
  readonly method?: string
  readonly path?: string
  readonly query?: string
  readonly host?: string
  readonly scheme?: 'http' | 'https'
  readonly clientIp?: string
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
    query: parts.query ?? '',
    host: parts.host ?? 'api.example.com',
    scheme: parts.scheme ?? 'https',
    clientIp: parts.clientIp ?? '192.0.2.1',
    header: (name) => values(name)[0],
    count: (name) => values(name).length,
    values,
    names: () => [...fields.keys()],
  }
}
