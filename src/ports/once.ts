/** Remembers what may be used only once, for as long as it could be used at all: proofs, nonces, logout tokens. */
export interface Once {
  /**
   * One atomic step, never a look-up and then a write.
   * @param key names the thing in its own space, such as `dpop:<jkt>:<jti>`; bounded by the caller
   * @param until milliseconds since the epoch after which it could not be used anyway
   * @returns `new` exactly once for each key
   * @throws when it cannot be remembered (the memory is full, the store is away): the caller refuses
   */
  remember(key: string, until: number): 'new' | 'seen' | Promise<'new' | 'seen'>
}
