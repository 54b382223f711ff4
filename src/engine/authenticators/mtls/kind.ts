import { defineKind, type AuthenticatorFault, type AuthenticatorKind, type CheckFacts } from '../kind.ts'
import { createMtlsAuthenticator, mtlsPlaces } from './authenticator.ts'
import { createOcspCheck } from './ocsp.ts'
import { patternFault } from './pattern.ts'
import { mtlsSchema, type ParsedMtls } from './schema.ts'
import { mtlsIssuer, type MtlsSettings } from './settings.ts'

/** Client certificates. */
export const mtls: AuthenticatorKind = defineKind<ParsedMtls, MtlsSettings>({
  type: 'mtls',
  schema: mtlsSchema,
  compile: (
    name,
    { type, authorities, revocation, revocationOf, subject, allow, from, ocsp },
    { resolve },
  ) => ({
    type,
    name,
    in: mtlsPlaces,
    issuer: mtlsIssuer,
    trust: {
      authorities: authorities.map(resolve),
      revocation: (revocation ?? []).map(resolve),
      scope: revocationOf,
    },
    subject,
    ...(allow === undefined ? {} : { allow }),
    ...(from === undefined ? {} : { from }),
    ...(ocsp === undefined ? {} : { ocsp }),
  }),
  check: checkPatterns,
  competes: () => true,
  apart: 'one of the two on this route: a connection has one certificate',
  weaknesses: [
    {
      id: 'certificates-without-revocation',
      severity: 'note',
      about: 'Client certificates are taken until they expire: no revocation list and no responder is asked.',
      fix: 'Name the revocation lists of the authorities under `revocation`, or ask a responder with `ocsp`; or let certificates live for hours only.',
      *find({ trust, ocsp }) {
        if (trust.revocation.length > 0 || ocsp?.required === true) return
        yield { message: 'a stolen certificate is good until it expires' }
      },
    },
    {
      id: 'certificate-common-name',
      severity: 'note',
      about:
        'The common name of a certificate is free text: authorities check it less than the names beside it.',
      fix: 'Let certificates carry a URI, a DNS name or a mail address, and map that (`subject: san-uri`).',
      *find({ subject }) {
        if (subject === 'cn') yield { member: 'subject', message: 'callers are named by the common name' }
      },
    },
  ],
  create: (settings, { trust, ocsp, clock, revocations }) =>
    createMtlsAuthenticator(settings, {
      trust: trust(settings.trust),
      clock,
      revocations,
      ocsp: settings.ocsp === undefined ? undefined : createOcspCheck(settings.ocsp, ocsp),
    }),
})

function* checkPatterns(
  _name: string,
  { allow = [], from }: ParsedMtls,
  { path }: CheckFacts,
): Generator<AuthenticatorFault> {
  for (const [index, pattern] of allow.entries()) {
    const fault = patternFault(pattern)
    if (fault === undefined) continue
    yield {
      path: [...path, 'allow', index],
      message: `this pattern has ${fault}`,
      expected: 'a subject as certificates have it, with `*` for single segments',
    }
  }
  if (from?.peers.length === 0) {
    yield {
      path: [...path, 'from', 'peers'],
      message: 'no proxy is believed, so nothing would ever be taken from the header',
      expected: 'address ranges of the proxies in front; or `from` left out',
    }
  }
}
