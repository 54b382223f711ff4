/** What judges client certificates, for listeners and authenticators alike: the files behind it, and the way to OCSP responders. */
import {
  createTrust,
  type Trust,
  type TrustSettings,
  type TrustSource,
} from '../engine/certificates/trust.ts'
import type { OcspResponders } from '../ports/ocsp.ts'
import { createOcspPoster } from '../remote/ocsp.ts'
import type { Log } from '../telemetry/log.ts'
import { createTrustFiles } from '../trust/trust-files.ts'

export interface CertificateService {
  /** The same settings, the same judge: it outlives reloads, and open streams go on asking it. */
  trust(settings: TrustSettings): Trust
  readonly ocsp: OcspResponders
  close(): void
}

export function openCertificates(log: Log): CertificateService {
  const files = createTrustFiles({
    onChange: (changed) => log.info({ files: changed }, 'authorities or revocation lists were read anew'),
    onFault: (fault) =>
      log.error({ fault }, 'authorities or revocation lists cannot be used: what was read before stays'),
  })
  const ocsp = createOcspPoster()
  const judges = new Map<TrustSource, Trust>()
  return {
    trust(settings) {
      const source = files.open(settings)
      const judge = judges.get(source) ?? createTrust(source)
      judges.set(source, judge)
      return judge
    },
    ocsp,
    close() {
      files.close()
      ocsp.close()
    },
  }
}
