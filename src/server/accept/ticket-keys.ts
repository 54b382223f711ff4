/**
 * Keys of session tickets: a client that comes back within minutes shows one and is spared half a handshake. The keys are made
 * from a secret that lives in memory only and is exchanged for its own hash every twelve hours, so that a key which is found
 * out later opens no older ticket. Workers that share a secret make the same keys.
 */
import { hkdfSync } from 'node:crypto'

/** Milliseconds that one key is used. */
const period = 12 * 3_600_000

export interface TicketSecret {
  /** 32 bytes, from a source that nobody can guess. */
  readonly secret: Uint8Array
  /** Milliseconds since the epoch at which it was made. */
  readonly since: number
}

/** What node:tls wants: a name, a key that encrypts and one that signs, in one. */
export function ticketKeysFrom(secret: Uint8Array): Buffer {
  return derive(secret, 'portcullis session tickets', 48)
}

export class TicketKeys {
  #secret: Buffer
  #turn: number

  constructor({ secret, since }: TicketSecret) {
    this.#secret = Buffer.from(secret)
    this.#turn = turnOf(since)
  }

  /** @returns the keys of now; older ones cannot be made again */
  at(now: number): Buffer {
    for (const turn = turnOf(now); this.#turn < turn; this.#turn += 1) {
      const next = derive(this.#secret, 'portcullis next secret', 32)
      this.#secret.fill(0)
      this.#secret = next
    }
    return ticketKeysFrom(this.#secret)
  }

  /** @returns milliseconds until there are others */
  restAt(now: number): number {
    return period - (now % period)
  }
}

/** By the clock, so that workers change at the same moment. */
function turnOf(time: number): number {
  return Math.floor(time / period)
}

function derive(secret: Uint8Array, purpose: string, length: number): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, new Uint8Array(), purpose, length))
}
