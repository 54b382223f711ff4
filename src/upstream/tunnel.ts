/** Two raw connections joined: bytes both ways, each side read no faster than the other takes. */
import type { Duplex } from 'node:stream'

/** Milliseconds of silence that one side is granted after the other ended. */
const farewell = 10_000

export interface Tunnel {
  /** Closes both sides at once. */
  cut(): void
}

/** @param onClose called once, when both sides are closed, with the bytes that went to the client and who left without an orderly end */
export function joinTunnel(
  client: Duplex,
  upstream: Duplex,
  onClose: (toClient: number, brokenBy: 'client' | 'upstream' | undefined) => void,
): Tunnel {
  let toClient = 0
  let open = 2
  let brokenBy: 'client' | 'upstream' | undefined
  let timer: NodeJS.Timeout | undefined

  const cut = (): void => {
    client.destroy()
    upstream.destroy()
  }
  const onEnd = (): void => {
    timer ??= setTimeout(cut, farewell).unref()
  }
  const watch = (side: Duplex, other: Duplex, name: 'client' | 'upstream'): void => {
    const onSideClosed = (): void => {
      open -= 1
      // After an orderly end `pipe` ends the other side once it has flushed; a side that vanished takes the other with it.
      if (!side.readableEnded) {
        if (!other.readableEnded) {
          brokenBy ??= name
        }
        other.destroy()
      }
      if (open === 0) {
        clearTimeout(timer)
        onClose(toClient, brokenBy)
      }
    }
    side.on('data', (chunk: Buffer) => {
      timer?.refresh()
      toClient += side === upstream ? chunk.length : 0
    })
    if (side.readableEnded) onEnd()
    else side.on('end', onEnd)
    side.on('error', () => {
      brokenBy ??= name
      cut()
    })
    if (side.closed) {
      queueMicrotask(onSideClosed)
    } else {
      side.once('close', onSideClosed)
    }
  }

  watch(client, upstream, 'client')
  watch(upstream, client, 'upstream')
  upstream.pipe(client)
  client.pipe(upstream)
  return { cut }
}
