/** One provider, asked as the gateway will ask it, and judged by what it answers. */
import { readFile } from 'node:fs/promises'
import type { ProviderSettings } from '../../configuration.ts'
import type { Profile } from '../../engine/providers/profile.ts'
import { profileFor } from '../../engine/providers/registry.ts'
import type { Clock } from '../../ports/clock.ts'
import { endpointNames, mayPointTo, metadataUrls, type EndpointName } from '../discovery.ts'
import { FetchError, guardedFetch, type FetchedAnswer } from '../guarded-fetch.ts'
import { AnswerError, readJsonObject } from '../json-answer.ts'
import { documentReader, type DocumentKind } from '../provider-documents.ts'
import { certificateEnd, judgeCertificate } from './certificate.ts'
import { judgeClock, type Exchange } from './clock.ts'
import { found, type OnlineFinding } from './findings.ts'
import { judgeKeys } from './keys.ts'
import { judgeMetadata } from './metadata.ts'
import type { ProviderNeeds } from './needs.ts'

type Json = Readonly<Record<string, unknown>>

interface Document {
  /** Where it was read: a URL, or a file. */
  readonly source: string
  readonly content: Json
  readonly exchange: Exchange | undefined
}

interface Audit {
  readonly settings: ProviderSettings
  readonly profile: Profile
  readonly needs: ProviderNeeds
  readonly clock: Clock
  readonly read: (address: string, kind: DocumentKind) => Promise<Document>
}

const connectTimeout = 5_000

/** Never rejects: what cannot be asked is a finding. */
export async function auditProvider(
  settings: ProviderSettings,
  needs: ProviderNeeds,
  clock: Clock,
): Promise<OnlineFinding[]> {
  const profile = profileFor(settings)
  const reader = documentReader(settings, profile, guardedFetch)
  const audit: Audit = {
    settings,
    profile,
    needs,
    clock,
    read: async (address, kind) => {
      const askedAt = clock.now()
      const answer = await reader(address, kind)
      // Not found is told apart: there may be another place to look.
      if (answer.status !== 200 && answer.status !== 404)
        throw new FetchError('network', `its ${kindWords[kind]} answered with status ${answer.status}`)
      const exchange = exchangeOf(answer, askedAt, clock.now())
      return { source: address, content: readJsonObject(answer, kindWords[kind]), exchange }
    },
  }
  const metadata = await attempt(settings.name, () => readMetadata(audit))
  const keys = await attempt(settings.name, () => readKeys(audit, metadata.value))
  const documents = [metadata.value, keys.value].filter((each) => each !== undefined)
  return [
    ...metadata.findings,
    ...(metadata.value === undefined ? [] : judgeMetadata(questionOf(audit, metadata.value))),
    ...keys.findings,
    ...(keys.value === undefined
      ? []
      : judgeKeys(settings.name, keys.value.content, { use: profile.keyUse, verifiers: needs.verifiers })),
    ...documents
      .flatMap(({ exchange }) => exchange ?? [])
      .slice(0, 1)
      .flatMap((exchange) => judgeClock(settings.name, exchange, settings.clockSkew)),
    ...(await judgeConnections(audit, documents, metadata.value)),
  ]
}

const kindWords: Readonly<Record<DocumentKind, string>> = { metadata: 'metadata', keys: 'key set' }

/** Out of a cache, `Date` is somebody else's moment. */
function exchangeOf({ headers }: FetchedAnswer, askedAt: number, answeredAt: number): Exchange | undefined {
  const { date, age = '0' } = headers
  return date === undefined || Number(age) > 0 ? undefined : { askedAt, answeredAt, date }
}

/** Where there is metadata: below the issuer, at an API server, or nowhere (a trust bundle). */
async function readMetadata({ settings, profile, read }: Audit): Promise<Document | undefined> {
  if (!settings.discovery || !/^https?:/i.test(profile.metadata.at)) return undefined
  const urls = metadataUrls(profile.metadata.at)
  for (const [index, url] of urls.entries()) {
    try {
      return await read(url, 'metadata')
    } catch (error) {
      const isElsewhere = error instanceof AnswerError && error.message.endsWith('status 404')
      if (!isElsewhere || index === urls.length - 1) throw error
    }
  }
  return undefined
}

async function readKeys(
  { settings, profile, needs, read }: Audit,
  metadata: Document | undefined,
): Promise<Document | undefined> {
  const address = keysAddress(settings, profile, metadata)
  // Without anybody who verifies with them (shared secrets, look-ups) keys need not be there.
  if (address === undefined || needs.verifiers.length === 0) return undefined
  return read(address, 'keys')
}

function keysAddress(
  settings: ProviderSettings,
  profile: Profile,
  metadata: Document | undefined,
): string | undefined {
  const explicit = settings.endpoints['jwks']
  if (explicit !== undefined) return explicit
  if (!settings.discovery || profile.keysFrom === 'address') return profile.keysAddress
  const told = metadata?.content[endpointNames.jwks]
  return metadata !== undefined &&
    typeof told === 'string' &&
    mayPointTo(metadata.source, told, settings.allowInsecure)
    ? told
    : undefined
}

function questionOf(
  { settings, profile, needs }: Audit,
  { source, content }: Document,
): Parameters<typeof judgeMetadata>[0] {
  const isFixed = profile.keysFrom === 'address'
  return {
    name: settings.name,
    source,
    document: content,
    issuers: isFixed ? profile.issuers : [profile.metadata.issuer],
    explicit: settings.endpoints,
    allowInsecure: settings.allowInsecure,
    namesKeys: !isFixed && needs.verifiers.length > 0,
    needs,
  }
}

/** Each host that the gateway will talk to, once: whether it can be reached, and how long its certificate lasts. */
async function judgeConnections(
  { settings, profile, needs, clock }: Audit,
  documents: readonly Document[],
  metadata: Document | undefined,
): Promise<OnlineFinding[]> {
  const { name, allowInsecure } = settings
  const urls = [...documents.map(({ source }) => source), ...endpointUrls(settings, needs, metadata)]
  const origins = new Map(urls.flatMap((url) => (/^https:/i.test(url) ? [[new URL(url).origin, url]] : [])))
  const findings = await Promise.all(
    [...origins].map(async ([origin, url]) => {
      const { value: end, findings: failed } = await attempt(name, async () => {
        const caFile = settings.ca ?? profile.ca
        const ca = caFile === undefined ? {} : { ca: await readFile(caFile, 'utf8') }
        return certificateEnd(url, { allowInsecure, ...ca }, connectTimeout)
      })
      return end === undefined ? failed : judgeCertificate(name, new URL(origin).host, end, clock.now())
    }),
  )
  return findings.flat()
}

function endpointUrls(
  { endpoints, allowInsecure }: ProviderSettings,
  needs: ProviderNeeds,
  metadata: Document | undefined,
): string[] {
  // Browsers go there themselves, by ways that this machine may not have.
  const ofBrowsers: readonly EndpointName[] = ['authorization', 'endSession']
  return [...needs.endpoints.keys()].flatMap((endpoint) => {
    if (ofBrowsers.includes(endpoint)) return []
    const told = metadata?.content[endpointNames[endpoint]]
    const url = endpoints[endpoint] ?? told
    if (typeof url !== 'string') return []
    return endpoints[endpoint] !== undefined || mayPointTo(metadata?.source ?? '', url, allowInsecure)
      ? [url]
      : []
  })
}

interface Attempt<T> {
  readonly value: T | undefined
  readonly findings: OnlineFinding[]
}

async function attempt<T>(name: string, action: () => Promise<T>): Promise<Attempt<T>> {
  try {
    return { value: await action(), findings: [] }
  } catch (error) {
    return { value: undefined, findings: [failureOf(name, error)] }
  }
}

function failureOf(name: string, error: unknown): OnlineFinding {
  if (error instanceof AnswerError) return found('provider-metadata', { name }, error.message)
  if (error instanceof FetchError) return found('provider-unreachable', { name }, error.message)
  const { code, path } = error as { code?: unknown; path?: unknown }
  const what = typeof path === 'string' ? `${path} cannot be read` : 'it cannot be reached'
  return found('provider-unreachable', { name }, `${what} (${typeof code === 'string' ? code : 'unknown'})`)
}
