/** A client with a certificate of its own, over node:https; over node:http it has none. */
import { request as plainRequest } from 'node:http'
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
  readonly path?: string
  /** Keeps the connection for more requests. */
  readonly agent?: Agent
}

export function mtlsFetch(url: string, options: MtlsOptions = {}): Promise<MtlsAnswer> {
  const { client, chain = [], headers = {}, servername, method = 'GET', agent } = options
  const send = url.startsWith('https:') ? request : plainRequest
  return new Promise((resolve, reject) => {
    const outgoing = send(
      url,
      {
        method,
        rejectUnauthorized: false,
        agent: agent ?? false,
        headers: headers as Record<string, string | string[]>,
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
