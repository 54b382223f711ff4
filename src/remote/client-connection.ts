/** The sockets of one client at one provider, and the files that they are opened with: a renewed one needs no restart. */
import { readFile } from 'node:fs/promises'
import type { ProviderSettings } from '../configuration.ts'
import type { ClientSettings } from '../engine/providers/client-settings.ts'
import type { Clock } from '../ports/clock.ts'
import { createPoster, type Poster } from './guarded-post.ts'
import { OAuthFailure } from './oauth-failure.ts'

/** A renewed certificate, key or authority is used after this at the latest. */
const rereadEvery = 30_000

/** PEM texts. */
export interface ClientFiles {
  readonly ca?: string
  readonly key?: string
  readonly certificate?: string
}

export interface ClientConnection {
  open(): Promise<{ readonly poster: Poster; readonly files: ClientFiles }>
  close(): void
}

/** Opened when it is first needed. */
export function openConnection(
  provider: ProviderSettings,
  client: ClientSettings,
  clock: Clock,
  connections: number | undefined,
): ClientConnection {
  let current: { readonly poster: Poster; readonly files: ClientFiles } | undefined
  let readAt = -Infinity
  let isClosed = false
  let reading: Promise<void> | undefined

  const read = async (): Promise<void> => {
    const files: ClientFiles = await readFiles({
      ca: provider.ca,
      key: client.key,
      certificate: client.certificate,
    })
    readAt = clock.now()
    if (current !== undefined && JSON.stringify(current.files) === JSON.stringify(files)) return
    current?.poster.close()
    const isMutual = client.method === 'mtls'
    const poster = createPoster({
      allowInsecure: provider.allowInsecure,
      ...(connections === undefined ? {} : { connections }),
      ...(files.ca === undefined ? {} : { ca: files.ca }),
      ...(isMutual && files.key !== undefined ? { key: files.key } : {}),
      ...(isMutual && files.certificate !== undefined ? { certificate: files.certificate } : {}),
    })
    current = { poster, files }
  }

  return {
    async open() {
      if (isClosed) throw new OAuthFailure('unreachable', 'the gateway no longer asks this provider')
      if (current === undefined || clock.now() - readAt >= rereadEvery) {
        reading ??= read().finally(() => {
          reading = undefined
        })
        await reading
      }
      return current!
    },
    close() {
      isClosed = true
      current?.poster.close()
    },
  }
}

async function readFiles(
  paths: Readonly<Record<keyof ClientFiles, string | undefined>>,
): Promise<ClientFiles> {
  const texts = await Promise.all(
    Object.entries(paths).map(async ([name, path]) => {
      if (path === undefined) return []
      try {
        return [[name, await readFile(path, 'utf8')] as const]
      } catch {
        throw new OAuthFailure('misconfigured', `the file of the client's ${name} cannot be read`)
      }
    }),
  )
  return Object.fromEntries(texts.flat())
}
