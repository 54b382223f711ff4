/** Places in the configuration: `routes[2].authorize.scopes`. */
export type Path = readonly (string | number)[]

/** @returns the path as it is printed; names that would be misread stand in quotes */
export function formatPath(path: Path): string {
  return path
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`
      const plain = /^[\p{L}\p{N}_$@-]+$/u.test(step) ? step : undefined
      if (plain === undefined) return `[${JSON.stringify(step)}]`
      return index === 0 ? plain : `.${plain}`
    })
    .join('')
}

/** @returns the path that `formatPath` printed */
export function parsePath(text: string): Path {
  return [...text.matchAll(/\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]|\.?([^.[\]]+)/g)].map(
    ([, index, quoted, plain]) => {
      if (index !== undefined) return Number(index)
      return quoted === undefined ? plain! : (JSON.parse(quoted) as string)
    },
  )
}

/** @returns what stands at the path, or undefined */
export function valueAt(tree: unknown, path: Path): unknown {
  let value = tree
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined
    value = (value as Record<string | number, unknown>)[step]
  }
  return value
}

/** @returns whether one path is the other, or leads to it */
export function touches(one: Path, other: Path): boolean {
  const length = Math.min(one.length, other.length)
  for (let index = 0; index < length; index++) if (one[index] !== other[index]) return false
  return true
}

/** @returns whether `path` is `prefix` or lies below it */
export function isWithin(path: Path, prefix: Path): boolean {
  return path.length >= prefix.length && touches(path, prefix)
}
