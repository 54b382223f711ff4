/**
 * What a message says of its own content, and whether that holds.
 * @see RFC 9530, sections 2 and 5
 */
import { createHash, type Hash } from 'node:crypto'
import { isInnerList } from 'structured-headers'
import { isSameMac } from './constant-time.ts'
import { readDictionary } from './structured-fields.ts'

/** Digests that the content must have, each of them. */
export type ContentDigests = readonly ContentDigest[]

export interface ContentDigest {
  readonly algorithm: KnownAlgorithm
  readonly digest: Uint8Array
}

/** The active ones. The others are broken or no digests at all, and say nothing here. */
const known = { 'sha-256': 'sha256', 'sha-512': 'sha512' } as const
type KnownAlgorithm = keyof typeof known

/**
 * @param lines the values of `Content-Digest`, one for each line
 * @returns undefined when it is malformed or holds no digest that can be checked
 */
export function readContentDigest(lines: readonly string[]): ContentDigests | undefined {
  const digests: ContentDigest[] = []
  for (const [algorithm, member] of readDictionary(lines.join(', ')) ?? []) {
    if (isInnerList(member) || !(member[0] instanceof ArrayBuffer)) return undefined
    if (isKnown(algorithm)) digests.push({ algorithm, digest: new Uint8Array(member[0]) })
  }
  return digests.length === 0 ? undefined : digests
}

/** Takes content as it comes, and says at its end whether it was the described one. */
export class ContentCheck {
  readonly #wanted: readonly { readonly hash: Hash; readonly digest: Uint8Array }[]

  constructor(wanted: ContentDigests) {
    this.#wanted = wanted.map(({ algorithm, digest }) => ({ hash: createHash(known[algorithm]), digest }))
  }

  add(chunk: Uint8Array): void {
    for (const { hash } of this.#wanted) hash.update(chunk)
  }

  /** At most once. */
  holds(): boolean {
    return this.#wanted.every(({ hash, digest }) => isSameMac(hash.digest(), digest))
  }
}

function isKnown(algorithm: string): algorithm is KnownAlgorithm {
  return Object.hasOwn(known, algorithm)
}
