/** What a session is told and held to by nghttp2 itself, before anything of ours sees a frame. */
import type { ServerSessionOptions } from 'node:http2'
import type { HeadBounds } from '../head.ts'

/** Streams that a client may have open at once. */
export const mostStreams = 100

/**
 * Bytes of content that may be on their way: on a stream, which is what one that nobody reads costs us, and for all of them together,
 * since clients are as far away as they are fast.
 */
export const windows: Readonly<Record<'stream' | 'connection', number>> = {
  stream: 128 * 1024,
  connection: 1024 * 1024,
}

/** Options that node:http2 has and its types do not know yet. */
interface Unlisted {
  readonly strictFieldWhitespaceValidation: boolean
  readonly strictSingleValueFields: boolean
  readonly streamResetBurst: number
  readonly streamResetRate: number
}

export function sessionOptions({ headers, headerCount }: HeadBounds): ServerSessionOptions & Unlisted {
  return {
    settings: {
      maxConcurrentStreams: mostStreams,
      initialWindowSize: windows.stream,
      // HTTP/2 counts 32 bytes for each line more than we do. A client that is told may spare itself the request.
      maxHeaderListSize: headers * 2 + 32 * headerCount,
    },
    // Beyond these a stream is reset; below, what is too large for us is answered with 431. Cookies may come one by one.
    maxHeaderListPairs: headerCount + 256,
    // Left out silently otherwise, a credential with a blank before it would count as none: we see it, and refuse it.
    strictFieldWhitespaceValidation: false,
    // Which answer fields may be repeated is the service's business; ours are checked where they are made.
    strictSingleValueFields: false,
    // The last line of defence: our own budget, which also counts what is answered, is tighter.
    streamResetBurst: 1000,
    streamResetRate: 100,
    // MB, for all streams of a session together: no further stream begins beyond.
    maxSessionMemory: 32,
  }
}
