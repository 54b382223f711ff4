/** HPACK, as much of it as tests need: fields written in the plainest form there is, and whatever a peer writes read. @see RFC 7541 */

/** Pairs of name and value, any byte in either (as Latin-1). */
export type Fields = readonly (readonly [name: string, value: string])[]

/** @returns a block of literals that enter no table, each byte as it is */
export function encodeFields(fields: Fields): Buffer {
  return Buffer.concat(
    fields.map(([name, value]) => Buffer.concat([Buffer.of(0x00), encodeText(name), encodeText(value)])),
  )
}

/** A literal that enters the table of the reader. */
export function encodeIndexed(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.of(0x40), encodeText(name), encodeText(value)])
}

/** A reference to a line of the table; the newest of the dynamic ones is 62. */
export function encodeReference(index: number): Buffer {
  return encodeInteger(index, 7, 0x80)
}

/** A change of the table's size. */
export function encodeTableSize(size: number): Buffer {
  return encodeInteger(size, 5, 0x20)
}

export function encodeText(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1')
  return Buffer.concat([encodeInteger(bytes.length, 7, 0), bytes])
}

/**
 * @param more bits behind the text's own, instead of the right ones
 * @returns the text in Huffman codes, with its length before it
 */
export function encodeHuffman(text: string, more?: string): Buffer {
  let bits = ''
  for (const character of text) bits += codes.get(character.charCodeAt(0))!
  bits += more ?? ''
  const bytes = Buffer.from(
    bits
      .padEnd(Math.ceil(bits.length / 8) * 8, '1')
      .match(/.{8}/g)!
      .map((each) => Number.parseInt(each, 2)),
  )
  return Buffer.concat([encodeInteger(bytes.length, 7, 0x80), bytes])
}

/** @param prefix bits of the first byte that are the integer's; @param flags the bits before them */
export function encodeInteger(value: number, prefix: number, flags: number): Buffer {
  const most = 2 ** prefix - 1
  if (value < most) return Buffer.of(flags | value)
  const bytes = [flags | most]
  let rest = value - most
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80)
  bytes.push(rest)
  return Buffer.from(bytes)
}

/** Reads the blocks of one connection, in order. */
export class HpackReader {
  readonly #table: [string, string][] = []

  read(block: Buffer): [string, string][] {
    const fields: [string, string][] = []
    const cursor = { block, at: 0 }
    while (cursor.at < block.length) {
      const first = block[cursor.at]!
      if ((first & 0x80) !== 0) fields.push(this.#line(readInteger(cursor, 7)))
      else if ((first & 0xe0) === 0x20) readInteger(cursor, 5)
      else {
        const isIndexed = (first & 0x40) !== 0
        const index = readInteger(cursor, isIndexed ? 6 : 4)
        const name = index === 0 ? readText(cursor) : this.#line(index)[0]
        const field: [string, string] = [name, readText(cursor)]
        if (isIndexed) this.#table.unshift(field)
        fields.push(field)
      }
    }
    return fields
  }

  #line(index: number): [string, string] {
    const line = index <= 61 ? staticTable[index - 1] : this.#table[index - 62]
    if (line === undefined) throw new Error(`no line ${String(index)} in the table`)
    return [line[0], line[1]]
  }
}

interface Cursor {
  readonly block: Buffer
  at: number
}

function readInteger(cursor: Cursor, prefix: number): number {
  const most = 2 ** prefix - 1
  let value = cursor.block[cursor.at++]! & most
  if (value < most) return value
  for (let factor = 1; ; factor *= 128) {
    const byte = cursor.block[cursor.at++]!
    value += (byte & 0x7f) * factor
    if ((byte & 0x80) === 0) return value
  }
}

function readText(cursor: Cursor): string {
  const isHuffman = (cursor.block[cursor.at]! & 0x80) !== 0
  const length = readInteger(cursor, 7)
  const bytes = cursor.block.subarray(cursor.at, cursor.at + length)
  cursor.at += length
  return isHuffman ? readHuffman(bytes) : bytes.toString('latin1')
}

/** Bits of the code of each byte; the last is the end of a text. Codes follow from their lengths: they are canonical. */
// prettier-ignore
const codeLengths: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
]

const symbols: ReadonlyMap<string, number> = canonicalSymbols()
const codes: ReadonlyMap<number, string> = new Map([...symbols].map(([code, symbol]) => [symbol, code]))

function canonicalSymbols(): ReadonlyMap<string, number> {
  const order = codeLengths.map((length, symbol) => ({ length, symbol }))
  order.sort((one, other) => one.length - other.length || one.symbol - other.symbol)
  const found = new Map<string, number>()
  let code = 0
  let before = 0
  for (const { length, symbol } of order) {
    code *= 2 ** (length - before)
    found.set(code.toString(2).padStart(length, '0'), symbol)
    code += 1
    before = length
  }
  return found
}

function readHuffman(bytes: Buffer): string {
  let text = ''
  let code = ''
  for (const byte of bytes) {
    for (const bit of byte.toString(2).padStart(8, '0')) {
      code += bit
      const symbol = symbols.get(code)
      if (symbol === undefined) continue
      text += String.fromCharCode(symbol)
      code = ''
    }
  }
  return text
}

// prettier-ignore
const staticTable: readonly (readonly [string, string])[] = [
  [':authority', ''], [':method', 'GET'], [':method', 'POST'], [':path', '/'], [':path', '/index.html'], [':scheme', 'http'],
  [':scheme', 'https'], [':status', '200'], [':status', '204'], [':status', '206'], [':status', '304'], [':status', '400'],
  [':status', '404'], [':status', '500'], ['accept-charset', ''], ['accept-encoding', 'gzip, deflate'], ['accept-language', ''],
  ['accept-ranges', ''], ['accept', ''], ['access-control-allow-origin', ''], ['age', ''], ['allow', ''], ['authorization', ''],
  ['cache-control', ''], ['content-disposition', ''], ['content-encoding', ''], ['content-language', ''], ['content-length', ''],
  ['content-location', ''], ['content-range', ''], ['content-type', ''], ['cookie', ''], ['date', ''], ['etag', ''], ['expect', ''],
  ['expires', ''], ['from', ''], ['host', ''], ['if-match', ''], ['if-modified-since', ''], ['if-none-match', ''], ['if-range', ''],
  ['if-unmodified-since', ''], ['last-modified', ''], ['link', ''], ['location', ''], ['max-forwards', ''], ['proxy-authenticate', ''],
  ['proxy-authorization', ''], ['range', ''], ['referer', ''], ['refresh', ''], ['retry-after', ''], ['server', ''], ['set-cookie', ''],
  ['strict-transport-security', ''], ['transfer-encoding', ''], ['user-agent', ''], ['vary', ''], ['via', ''], ['www-authenticate', ''],
]
