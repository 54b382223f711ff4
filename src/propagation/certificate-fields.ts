/** Passes on what a believed proxy said of the client's certificate. */
import { lastXfccElement } from '../engine/certificates/xfcc.ts'
import { isNamed } from '../engine/fields.ts'
import type { PlannedExchange } from './plan.ts'

/**
 * Only what was read, from a proxy that is believed in this very field; of XFCC the last element alone, since those before it are
 * whatever the client liked. Everything else of the kind is removed with the rest.
 */
export function writeCertificate({ request, server }: PlannedExchange, fields: string[]): void {
  const { forwardedIn } = request.certificate ?? {}
  if (forwardedIn === undefined) return
  const lines = server.fields
  if (forwardedIn === 'xfcc') {
    const last = lastXfccElement(request.values('x-forwarded-client-cert'))
    if (last !== undefined) fields.push('X-Forwarded-Client-Cert', last)
    return
  }
  for (let index = 0; index < lines.length; index += 2) {
    const name = lines[index]!
    if (isNamed(name, 'client-cert')) fields.push('Client-Cert', lines[index + 1]!)
    else if (isNamed(name, 'client-cert-chain')) fields.push('Client-Cert-Chain', lines[index + 1]!)
  }
}
