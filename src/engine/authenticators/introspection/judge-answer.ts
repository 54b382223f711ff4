/** Whether what a provider says of an active token makes it good here: whose it is, for whom, of what kind, and until when. */
import { confirmationOf } from '../../bindings/confirmation.ts'
import { rejected, type Rejected } from '../../outcome.ts'
import { judgeIssuer } from '../../providers/judge-issuer.ts'
import type { Claims, Profile } from '../../providers/profile.ts'
import { audiencesOf, isAddressedTo, readClaim } from '../jwt/claims.ts'
import { mapIdentity, type Mapped } from '../jwt/identity.ts'
import { judgeTimes, readTimes, type TimeRules, type Times } from '../jwt/times.ts'
import { judgeKind } from '../jwt/token-kind.ts'
import type { IntrospectionSettings } from './settings.ts'

export interface AnswerRules extends TimeRules {
  readonly name: string
  readonly profile: Profile
  readonly audience: readonly string[] | 'any'
  /** The gateway's own client id: an ID token for it would carry it as its audience. */
  readonly clientId: string
}

/** What a good answer says. `expires` is Infinity where it does not say. */
export interface Judged extends Mapped {
  readonly times: Times
}

export function compileAnswerRules(settings: IntrospectionSettings, profile: Profile): AnswerRules {
  const { name, audience, client, maxLifetime } = settings
  return Object.freeze({
    name,
    profile,
    audience,
    clientId: client.id,
    clockSkew: profile.clockSkew,
    ...(maxLifetime === undefined ? {} : { maxLifetime }),
  })
}

/** @see RFC 7662 section 2.2; all members but `active` are optional, and each that is there must fit */
export function judgeAnswer(claims: Claims, rules: AnswerRules, now: number): Judged | Rejected {
  const profile = profileFor(claims, rules.profile)
  const fault =
    judgeIssuer(claims, profile) ??
    judgeAudience(claims, rules) ??
    judgeTokenKind(claims, rules) ??
    judgeConfirmation(claims)
  if (fault !== undefined) return fault
  const times = readAnswerTimes(claims)
  if ('outcome' in times) return times
  const mapped = mapIdentity(claims, profile, rules.name)
  if ('outcome' in mapped) return mapped
  const untimely = judgeTimes(times, now, rules)
  if (untimely !== undefined) return untimely
  const identity = Object.freeze({ ...mapped.identity, amr: Object.freeze(['introspection']) })
  return { ...mapped, identity, times }
}

/**
 * An answer need not name its issuer, since whom we asked is known; and a token for a machine need not name a subject beside
 * its client. Named ones are held to what the provider may say.
 */
function profileFor(claims: Claims, profile: Profile): Profile {
  const { subject, client } = profile.claims
  const isNamed = Object.hasOwn(claims, 'iss')
  const hasSubject = subject.some((path) => readClaim(claims, path) !== undefined)
  const isMachine = !hasSubject && !Object.hasOwn(claims, 'username') && isPlain(subject)
  if (isNamed && !isMachine) return profile
  return {
    ...profile,
    ...(isNamed ? {} : { issuerOf: () => profile.issuers[0] }),
    ...(isMachine ? { claims: { ...profile.claims, subject: client } } : {}),
  }
}

/** Nobody said that the subject is to be read elsewhere. */
function isPlain(subject: Profile['claims']['subject']): boolean {
  return subject.length === 1 && subject[0]!.join('.') === 'sub'
}

function judgeAudience(claims: Claims, { audience }: AnswerRules): Rejected | undefined {
  const named = audiencesOf(claims['aud'])
  return named === undefined || !isAddressedTo(audience, named) ? rejected('token_audience') : undefined
}

/** Words for an access token, lower-case; of anything else there are too many to list, so only these pass. */
const accessTypes: Readonly<Record<'token_type' | 'token_use' | 'typ', readonly string[]>> = {
  token_type: ['bearer', 'dpop', 'access_token', 'at+jwt', 'urn:ietf:params:oauth:token-type:access_token'],
  token_use: ['access', 'access_token'],
  typ: ['bearer', 'dpop', 'jwt', 'at+jwt', 'application/at+jwt', 'access', 'access_token'],
}

/** A refresh or ID token is good at the provider too; that is no reason to let its bearer call anything. */
function judgeTokenKind(claims: Claims, { profile, audience, clientId }: AnswerRules): Rejected | undefined {
  if (Object.hasOwn(claims, 'events')) return rejected('token_kind', 'a security event token')
  for (const [member, words] of Object.entries(accessTypes)) {
    const value = claims[member]
    if (value === undefined || value === null) continue
    if (typeof value !== 'string' || !words.includes(value.toLowerCase()))
      return rejected('token_kind', `\`${member}\` says that it is no access token`)
  }
  const isMarked = typeof claims['token_type'] === 'string' || typeof claims['token_use'] === 'string'
  return judgeKind(claims, isMarked, { profile, audience, clients: [clientId], acceptsIdTokens: false })
}

function judgeConfirmation(claims: Claims): Rejected | undefined {
  const confirmation = confirmationOf(claims)
  if (confirmation?.unknown !== undefined)
    return rejected('token_bound', `a confirmation that is not understood: ${confirmation.unknown}`)
  // The provider says that the token is bound, and not to which key: it must not pass as an unbound one.
  const type = claims['token_type']
  return typeof type === 'string' && type.toLowerCase() === 'dpop' && confirmation?.jkt === undefined
    ? rejected('token_bound', '`token_type` is DPoP, and no key is named')
    : undefined
}

/** The last second that a date can name: stands in where there is no end. */
const never = 8.64e12

function readAnswerTimes(claims: Claims): Times | Rejected {
  if (Object.hasOwn(claims, 'exp')) return readTimes(claims)
  const times = readTimes({ ...claims, exp: never })
  return 'outcome' in times ? times : { ...times, expires: Infinity }
}
