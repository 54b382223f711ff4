/** HTTP/2 allows no white space around a value, which in HTTP/1.1 is none of it: RFC 9113, section 8.2.1. */
export function trimmed(value: string): string {
  const first = value.charCodeAt(0)
  const last = value.charCodeAt(value.length - 1)
  return first <= 0x20 || last <= 0x20 ? value.replaceAll(/^[\t ]+|[\t ]+$/g, '') : value
}
