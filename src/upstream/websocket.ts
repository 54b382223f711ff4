/**
 * What makes an upstream's 101 a WebSocket handshake: its proof that it read this very request. Without it the bytes
 * after the head are another protocol, or another answer, and no tunnel may be laid on them.
 * @see RFC 6455, sections 4.1 and 4.2.2
 */
import { hash } from 'node:crypto'
import { connectionOptions, isNamed, withoutOws } from '../engine/fields.ts'
import type { FieldLines } from '../exchange.ts'
import type { RawHead } from './connection.ts'

const handshakeSuffix = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const keyForm = /^[A-Za-z0-9+/]{22}==$/

/** @returns the handshake key of a request; undefined unless there is exactly one and it is well-formed */
export function handshakeKey(fields: FieldLines): string | undefined {
  const key = single(fields, 'sec-websocket-key')
  return key !== undefined && keyForm.test(key) ? key : undefined
}

/** @returns whether a 101 answers the handshake with this key */
export function acceptsHandshake({ version, fields }: RawHead, key: string | undefined): boolean {
  return (
    version === '1.1' &&
    key !== undefined &&
    single(fields, 'upgrade')?.toLowerCase() === 'websocket' &&
    connectionOptions(fields)?.has('upgrade') === true &&
    single(fields, 'sec-websocket-accept') === hash('sha1', key + handshakeSuffix, 'base64')
  )
}

function single(fields: FieldLines, name: string): string | undefined {
  let found: string | undefined
  for (let index = 0; index < fields.length; index += 2) {
    if (isNamed(fields[index]!, name)) {
      if (found !== undefined) {
        return undefined
      }
      found = withoutOws(fields[index + 1]!)
    }
  }
  return found
}
