/**
 * Field names that come again and again, each as one and the same string: no string is made for them, and whoever looks one up in
 * a table finds its hash made. Others are made anew each time; nobody's names push the usual ones out.
 */

/** As clients, proxies and backends write them; each also in lower case. */
const usual =
  'Accept Accept-Charset Accept-Encoding Accept-Language Accept-Ranges Access-Control-Allow-Origin Age Authorization Cache-Control ' +
  'Connection Content-Disposition Content-Encoding Content-Language Content-Length Content-Type Cookie DNT DPoP Date ETag Expect ' +
  'Expires Forwarded Host If-Match If-Modified-Since If-None-Match Keep-Alive Last-Modified Link Location Origin Pragma Priority ' +
  'Proxy-Connection Range Referer Retry-After Sec-CH-UA Sec-CH-UA-Mobile Sec-CH-UA-Platform Sec-Fetch-Dest Sec-Fetch-Mode ' +
  'Sec-Fetch-Site Sec-Fetch-User Server Set-Cookie Strict-Transport-Security TE Trailer Transfer-Encoding Upgrade ' +
  'Upgrade-Insecure-Requests User-Agent Vary Via X-API-Key X-Content-Type-Options X-Forwarded-For X-Forwarded-Host ' +
  'X-Forwarded-Proto X-Frame-Options X-Powered-By X-Real-IP X-Request-ID X-Request-Id X-Requested-With traceparent tracestate'

const slots = 1024

function slotOf(length: number, first: number, middle: number, last: number): number {
  return (length * 41 + first * 3 + middle * 17 + last * 29) & (slots - 1)
}

interface Known {
  readonly name: string
  readonly bytes: Uint8Array
}

/** The first name of a slot has it: the others are made anew, which costs them a little. */
function fill(): (Known | undefined)[] {
  const table: (Known | undefined)[] = Array.from({ length: slots })
  for (const written of usual.split(' ')) {
    for (const name of [written, written.toLowerCase()]) {
      const bytes = Uint8Array.from(Buffer.from(name, 'latin1'))
      const length = bytes.length
      table[slotOf(length, bytes[0]!, bytes[length >> 1]!, bytes[length - 1]!)] ??= { name, bytes }
    }
  }
  return table
}

let table: (Known | undefined)[] | undefined

/** @returns the usual name that stands in the bytes from `start` to `end`, at least one; undefined where it is another */
export function usualName(bytes: Uint8Array, start: number, end: number): string | undefined {
  const length = end - start
  const known = (table ??= fill())[
    slotOf(length, bytes[start]!, bytes[start + (length >> 1)]!, bytes[end - 1]!)
  ]
  if (known === undefined || known.bytes.length !== length) return undefined
  const expected = known.bytes
  for (let index = 0; index < length; index += 1)
    if (bytes[start + index] !== expected[index]) return undefined
  return known.name
}
