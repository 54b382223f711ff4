/**
 * Moves a client's body to an upstream, framed anew, no faster than the upstream takes it. A body that breaks off must
 * never look complete there: nobody but `finish` writes the end of one.
 */
import type { Readable } from 'node:stream'
import type { BodyFraming } from './request-head.ts'
import type { Connection } from './connection.ts'

export interface BodyEvents {
  /** All of it is on its way. */
  done(): void
  /** The upstream takes no more for now (true), or does again (false). */
  stalled(isStalled: boolean): void
  /** The client's body stopped; the upstream has an incomplete one. */
  failed(error: Error): void
}

/** @returns what stops the transfer; the source is left as it is, for the server to drain */
export function sendBody(
  source: Readable,
  connection: Connection,
  framing: BodyFraming,
  events: BodyEvents,
): () => void {
  let sent = 0

  const onData = (chunk: Buffer): void => {
    sent += chunk.length
    if (typeof framing === 'number' && sent > framing) {
      fail(new Error('the body is longer than was declared'))
    } else if (chunk.length > 0 && !write(connection, framing, chunk)) {
      source.pause()
      events.stalled(true)
    }
  }
  const onDrain = (): void => {
    events.stalled(false)
    source.resume()
  }
  const onEnd = (): void => {
    if (typeof framing === 'number' && sent !== framing) {
      fail(new Error('the body is shorter than was declared'))
      return
    }
    stop()
    if (connection.finish !== undefined) {
      connection.finish()
    } else if (framing === 'chunked') {
      connection.write('0\r\n\r\n')
    }
    events.done()
  }
  const onClose = (): void => fail(new Error('the body was cut'))
  const fail = (error: Error): void => {
    stop()
    events.failed(error)
  }
  const stop = (): void => {
    connection.onDrain(undefined)
    source.off('data', onData).off('end', onEnd).off('error', fail).off('close', onClose)
    // A body that nobody reads any more may still break off, which then matters to nobody.
    source.on('error', ignore)
    source.pause()
  }

  connection.onDrain(onDrain)
  source.on('error', fail).on('close', onClose).on('end', onEnd).on('data', onData)
  source.resume()
  return stop
}

function write(connection: Connection, framing: BodyFraming, chunk: Buffer): boolean {
  if (framing !== 'chunked' || connection.finish !== undefined) {
    return connection.write(chunk)
  }
  connection.cork()
  connection.write(`${chunk.length.toString(16)}\r\n`)
  connection.write(chunk)
  const takesMore = connection.write('\r\n')
  connection.uncork()
  return takesMore
}

function ignore(): void {}
