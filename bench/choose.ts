// Which rows --only means.

/**
 * Whether one of the patterns stands anywhere in the name. `*` stands for any text; capital letters do not matter. A
 * name that is given in full means that row alone, not the longer names that it begins.
 */
export function isChosen(
  name: string,
  patterns: readonly string[],
  allNames: readonly string[] = [],
): boolean {
  if (patterns.length === 0) return true
  return patterns.some((pattern) => (allNames.includes(pattern) ? pattern === name : contains(name, pattern)))
}

function contains(name: string, pattern: string): boolean {
  const source = pattern
    .split('*')
    .map((part) => part.replaceAll(/[\\^$.+?()[\]{}|]/g, String.raw`\$&`))
    .join('.*')
  return new RegExp(source, 'i').test(name)
}
