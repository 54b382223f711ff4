/** What stands in a file, in words; secrets never. */

/** @returns the value in a few words, as it stands in the file (references unresolved) */
export function describe(value: unknown): string {
  if (value === undefined || value === null) return 'nothing'
  if (typeof value === 'string') return value === '' ? 'an empty text' : `the text ${quote(value)}`
  if (typeof value === 'number') return `the number ${value}`
  if (typeof value === 'boolean') return `${value}`
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`
  const keys = Object.keys(value)
  if (keys.length === 0) return 'an empty mapping'
  const shown = keys.slice(0, 4).map((key) => key.slice(0, 40))
  return `a mapping with ${shown.join(', ')}${keys.length > 4 ? ', …' : ''}`
}

/** @returns what kind of thing a secret's place holds, without a word of it */
export function describeSecret(value: unknown): string {
  if (value === undefined || value === null) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'string' && /^\$\{(env|file):[^${}]+\}$/.test(value)) return value
  if (typeof value === 'string') return value === '' ? 'an empty text' : 'a text (not shown)'
  return typeof value === 'object' ? 'a mapping' : `a ${typeof value} (not shown)`
}

/** Credentials in URLs go, long texts are cut, and what would move a terminal's cursor is made visible. */
export function quote(text: string): string {
  const masked = text
    .replace(/(:\/\/)\S*@/g, '$1…@')
    .replace(/([?&](?:[\w-]*(?:secret|token|password|key)[\w-]*)=)[^&\s]+/gi, '$1…')
  const cut = masked.length > 80 ? `${masked.slice(0, 77)}…` : masked
  return JSON.stringify(cut).replace(
    /[\x7F-\x9F\u2028\u2029\u202A-\u202E\u2066-\u2069]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
