import type { ExchangeState } from '../exchange-state.ts'

/**
 * Reads the whole body of a request to an endpoint of our own.
 * @param most bytes
 * @throws BodyError when it is larger, late or malformed
 */
export async function readBody(exchange: ExchangeState, most: number): Promise<Buffer> {
  const { server, snapshot } = exchange
  if (!server.hasBody) return Buffer.alloc(0)
  server.limitBody({ bytes: most, timeout: snapshot.configuration.limits.requestTimeout })
  const parts: Buffer[] = []
  for await (const part of server.body()) parts.push(part as Buffer)
  return Buffer.concat(parts)
}
