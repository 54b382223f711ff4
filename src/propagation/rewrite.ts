import type { RouteSettings } from '../configuration.ts'

/** @returns the path for the upstream; it always begins with `/` */
export type PathRewrite = (path: string) => string

/**
 * Works on the normal path, in which nothing is encoded that need not be: a prefix cannot hide. A prefix ends where a segment ends;
 * a path that does not begin with it is left as it is.
 */
export function compileRewrite({ stripPrefix, addPrefix }: RouteSettings['rewrite']): PathRewrite {
  const strip = withoutSlash(stripPrefix ?? '')
  const add = withoutSlash(addPrefix ?? '')
  if (strip === '' && add === '') return (path) => path
  return (path) => {
    const begins = strip !== '' && path.startsWith(strip)
    const isWhole = begins && (path.length === strip.length || path[strip.length] === '/')
    const rewritten = add + (isWhole ? path.slice(strip.length) : path)
    return rewritten.startsWith('/') ? rewritten : `/${rewritten}`
  }
}

function withoutSlash(prefix: string): string {
  return prefix.replace(/\/+$/, '')
}
