/** How a provider's metadata and keys are read: over its address with its authority, from a file, or with a token of ours. */
import { readFile, stat } from 'node:fs/promises'
import type { ProviderSettings } from '../configuration.ts'
import type { Profile } from '../engine/providers/profile.ts'
import type { guardedFetch, FetchedAnswer } from './guarded-fetch.ts'
import { AnswerError } from './json-answer.ts'
import { maxKeySetBytes } from './jwk-set.ts'

export type DocumentKind = 'metadata' | 'keys'

const documents: Readonly<Record<DocumentKind, { readonly accept: string; readonly maxBytes: number }>> = {
  metadata: { accept: 'application/json', maxBytes: 262_144 },
  keys: { accept: 'application/jwk-set+json, application/json', maxBytes: maxKeySetBytes },
}

/** Reads one document. `address` is a URL, or the absolute path of a file. Rejects when it cannot be had. */
export type DocumentReader = (
  address: string,
  kind: DocumentKind,
  signal?: AbortSignal,
) => Promise<FetchedAnswer>

export function documentReader(
  settings: ProviderSettings,
  profile: Profile,
  fetch: typeof guardedFetch,
): DocumentReader {
  const caFile = settings.ca ?? profile.ca
  return async (address, kind, signal) => {
    const { accept, maxBytes } = documents[kind]
    if (isFile(address)) return readDocument(address, maxBytes)
    const authorization = await authorizationFor(address, profile)
    return fetch(address, {
      accept,
      maxBytes,
      allowInsecure: settings.allowInsecure,
      // Read each time, so that a renewed authority needs no restart.
      ...(caFile === undefined ? {} : { ca: await readFile(caFile, 'utf8') }),
      ...(authorization === undefined ? {} : { authorization }),
      ...(signal === undefined ? {} : { signal }),
    })
  }
}

/** @returns whether the provider is asked for its endpoints: some have nothing but keys, at an address of their own */
export function usesMetadata({ discovery }: ProviderSettings, { keysFrom }: Profile): boolean {
  return discovery && keysFrom === 'metadata'
}

function isFile(address: string): boolean {
  return !/^[a-z][a-z0-9+.-]*:\/\//i.test(address)
}

/** A file is as fresh as an answer that must be asked for again: it is looked at every minute. */
async function readDocument(path: string, maxBytes: number): Promise<FetchedAnswer> {
  const { size } = await stat(path)
  if (size > maxBytes) throw new AnswerError(`${path} is larger than ${maxBytes} bytes`)
  return { status: 200, headers: { 'cache-control': 'no-cache' }, body: await readFile(path) }
}

/** The token goes to the origin that it is for, and to no address that a document names. */
async function authorizationFor(address: string, { keysCredential }: Profile): Promise<string | undefined> {
  if (keysCredential === undefined || URL.parse(address)?.origin !== keysCredential.origin) return undefined
  const token = (await readFile(keysCredential.file, 'utf8')).trim()
  if (!/^[\w.~+/-]+=*$/.test(token)) throw new AnswerError(`${keysCredential.file} holds no token`)
  return `Bearer ${token}`
}
