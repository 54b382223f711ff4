/** Reads a query string as forms write it (WHATWG application/x-www-form-urlencoded), without touching what is forwarded. */

/** @returns each value of the parameter, decoded, in order; a bad escape stays as it is written */
export function queryValues(query: string, name: string): readonly string[] {
  const values: string[] = []
  for (const pair of query.split('&')) {
    const equals = pair.indexOf('=')
    const key = equals === -1 ? pair : pair.slice(0, equals)
    if (decodeFormPart(key) === name) values.push(equals === -1 ? '' : decodeFormPart(pair.slice(equals + 1)))
  }
  return values
}

/** Decodes one name or value; `+` is a space. */
export function decodeFormPart(part: string): string {
  const spaced = part.includes('+') ? part.replaceAll('+', ' ') : part
  if (!spaced.includes('%')) return spaced
  try {
    return decodeURIComponent(spaced)
  } catch {
    return spaced
  }
}
