/**
 * A strict reader of DER, the one encoding of certificates (X.690 sections 8 and 10). Lenient readers take several encodings
 * of one value, and then a signature covers one reading and a decision is made on another: what is not DER is refused here.
 */

/** One element: its tag, its content, and all of its bytes. Buffers are views: nothing is copied. */
export interface Der {
  readonly tag: number
  readonly body: Buffer
  /** Tag and length included. */
  readonly bytes: Buffer
}

/** The bytes are not DER, or not of the expected form. Never leaves this room: parsers answer with a value instead. */
export class DerFault extends Error {}

export const derTags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const

/** @returns the one element that these bytes are; nothing may follow it */
export function readDer(bytes: Buffer): Der {
  const element = elementAt(bytes, 0)
  if (element.bytes.length !== bytes.length) throw new DerFault('bytes behind the end')
  return element
}

/** @returns the elements inside; @param limit - how many there may be: what a peer sends must not grow without bound */
export function elementsOf(parent: Der, limit = 4096): readonly Der[] {
  if ((parent.tag & 0x20) === 0) throw new DerFault('not a constructed element')
  const elements: Der[] = []
  for (let at = 0; at < parent.body.length;) {
    if (elements.length === limit) throw new DerFault('too many elements')
    const element = elementAt(parent.body, at)
    elements.push(element)
    at += element.bytes.length
  }
  return elements
}

/** Reads the elements of a constructed one in their order. */
export class DerFields {
  readonly #elements: readonly Der[]
  #at = 0

  constructor(parent: Der, tag: number = derTags.sequence, limit?: number) {
    if (parent.tag !== tag) throw new DerFault(`tag ${parent.tag} instead of ${tag}`)
    this.#elements = elementsOf(parent, limit)
  }

  /** @returns the next element, of this tag where one is given */
  next(tag?: number): Der {
    const element = this.#elements[this.#at]
    if (element === undefined) throw new DerFault('an element is missing')
    if (tag !== undefined && element.tag !== tag) throw new DerFault(`tag ${element.tag} instead of ${tag}`)
    this.#at += 1
    return element
  }

  /** @returns the next element if it has this tag */
  optional(...tags: readonly number[]): Der | undefined {
    const element = this.#elements[this.#at]
    if (element === undefined || !tags.includes(element.tag)) return undefined
    this.#at += 1
    return element
  }

  /** Nothing may be left: an unknown member could change the meaning of the known ones. */
  end(): void {
    if (this.#at < this.#elements.length) throw new DerFault('an unknown element')
  }
}

/** The element's bytes under another tag: for IMPLICIT tagging. */
export function retagged(element: Der, tag: number): Der {
  return { ...element, tag }
}

/** @returns the one element inside an EXPLICIT tag */
export function explicit(element: Der): Der {
  return readDer(element.body)
}

/** @returns the element that begins there */
export function elementAt(bytes: Buffer, start: number): Der {
  const tag = bytes[start]
  const first = bytes[start + 1]
  if (tag === undefined || first === undefined) throw new DerFault('cut short')
  if ((tag & 0x1f) === 0x1f) throw new DerFault('a tag of several bytes')
  checkForm(tag)
  let length = first
  let at = start + 2
  if (first >= 0x80) {
    const count = first & 0x7f
    // 0x80 is the indefinite form of BER; more than four bytes are no length that anybody sends.
    if (count === 0 || count > 4) throw new DerFault('a length that is not DER')
    if (at + count > bytes.length) throw new DerFault('cut short')
    length = bytes.readUIntBE(at, count)
    if (length < 0x80 || bytes[at] === 0) throw new DerFault('a length that is not minimal')
    at += count
  }
  if (at + length > bytes.length) throw new DerFault('cut short')
  return { tag, body: bytes.subarray(at, at + length), bytes: bytes.subarray(start, at + length) }
}

/** Universal strings come in one piece; sequences and sets are built of elements. */
function checkForm(tag: number): void {
  if ((tag & 0xc0) !== 0) return
  const isConstructed = (tag & 0x20) !== 0
  const number = tag & 0x1f
  const mustBe = number === 0x10 || number === 0x11
  if (number === 0 || isConstructed !== mustBe) throw new DerFault('an element of the wrong form')
}
