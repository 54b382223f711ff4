/** A TLS client with a certificate of its own, over node:https. */
import { request, type Agent } from 'node:https'
import type { Made } from './pki.ts'

export interface MtlsAnswer {
  readonly status: number
  readonly headers: NodeJS.Dict<string | string[]>
  readonly text: string
  json(): Record<string, unknown>
}

export interface MtlsOptions {
  readonly client?: Made
  /** What is sent behind the client's own certificate. */
  readonly chain?: readonly Made[]
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly servername?: string
  readonly method?: string
  /** Keeps the connection for a second request: from `agent`. */
  readonly agent?: Agent
}

export function mtlsFetch(url: string, options: MtlsOptions = {}): Promise<MtlsAnswer> {
  const { client, chain = [], headers = {}, servername, method = 'GET', agent } = options
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      {
        method,
        rejectUnauthorized: false,
        agent: agent ?? false,
        headers: headers as Record<string, string>,
        ...(servername === undefined ? {} : { servername }),
        ...(client === undefined
          ? {}
          : { cert: [client, ...chain].map(({ pem }) => pem).join(''), key: client.keyPem }),
      },
      (incoming) => {
        const chunks: Buffer[] = []
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
        incoming.on('error', reject)
        incoming.on('end', () => {
          const text = Buffer.concat(chunks).toString()
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            text,
            json: () => JSON.parse(text) as Record<string, unknown>,
          })
        })
      },
    )
    outgoing.on('error', reject)
    outgoing.end()
  })
}
