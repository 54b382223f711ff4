/** The `Forwarded` field. */

export interface ForwardedElement {
  readonly for?: string
  readonly proto?: string
  readonly host?: string
}

const pair =
  /[\t ]*([!#$%&'*+\-.^_`|~\dA-Za-z]+)=(?:([!#$%&'*+\-.^_`|~\dA-Za-z]+)|"((?:[^"\\]|\\.)*)")[\t ]*/y

/**
 * Strict: an unclosed quote that a client sent could otherwise swallow the element that our proxy appended.
 *
 * @param text all field lines, joined by commas
 * @returns the elements in order, or undefined when the list is malformed or an element names a parameter twice
 * @see RFC 7239, section 4
 */
export function parseForwarded(text: string): readonly ForwardedElement[] | undefined {
  const elements: ForwardedElement[] = []
  let element = new Map<string, string>()
  let at = 0
  while (at < text.length) {
    pair.lastIndex = at
    const match = pair.exec(text)
    if (match === null) return undefined
    const name = match[1]!.toLowerCase()
    if (element.has(name)) return undefined
    element.set(name, match[2] ?? match[3]!.replaceAll(/\\(.)/g, '$1'))
    at = pair.lastIndex
    const separator = text[at]
    at += 1
    if (separator === ';') continue
    if (separator !== ',' && separator !== undefined) return undefined
    elements.push(elementOf(element))
    element = new Map()
  }
  // A separator at the end announces something that is not there.
  return elements.length > 0 && element.size === 0 && !text.endsWith(',') ? elements : undefined
}

function elementOf(parameters: ReadonlyMap<string, string>): ForwardedElement {
  const node = parameters.get('for')
  const proto = parameters.get('proto')
  const host = parameters.get('host')
  return {
    ...(node === undefined ? {} : { for: node }),
    ...(proto === undefined ? {} : { proto }),
    ...(host === undefined ? {} : { host }),
  }
}
