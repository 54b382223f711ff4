/** Where a browser may be sent after it signed in: a path of the same origin, and nothing that any reader could take for more. */

/** Visible ASCII, one leading slash; a backslash or a second slash makes a host of what follows, for some readers. */
const shape = /^\/(?!.*(?:\\|\/\/))[\x21-\x7e]*$/
/** What a path must not hold even when it is escaped: somebody behind us may unescape it before looking. */
const unsafe = /[\x00-\x1f\x7f\\]|\/\//
const ownPath = /^\/\.portcullis(?:[/;?#]|$)/i
/** Characters: it travels in a cookie. */
const longest = 2048

/** @returns the path, query and fragment to go to; undefined when it must not be gone to */
export function safeReturnTo(value: string, origin: string): string | undefined {
  if (value.length > longest || !shape.test(value)) return undefined
  const url = URL.parse(value, origin)
  if (url === null || url.origin !== new URL(origin).origin || url.username !== '') return undefined
  const target = url.pathname + url.search + url.hash
  // Resolving dot segments can bring two slashes together.
  if (!shape.test(target)) return undefined
  const decoded = decode(url.pathname)
  return decoded === undefined || ownPath.test(decoded) || unsafe.test(decoded) ? undefined : target
}

export interface LoginRequest {
  /** Of the request that needs a login: its normalised path, and its query as it came. */
  readonly path: string
  readonly query: string
  /** Told only where several would do. */
  readonly authenticator?: string
  /** The route that asks for a stronger or fresher login. */
  readonly route?: string
}

/** @returns the address that asks to sign in and come back */
export function loginLocation({ path, query, authenticator, route }: LoginRequest): string {
  const parameters = new URLSearchParams({ return_to: returnTo(path, query) })
  if (authenticator !== undefined) parameters.set('authenticator', authenticator)
  if (route !== undefined) parameters.set('step_up', route)
  return `/.portcullis/login?${parameters.toString()}`
}

/** The query may hold `//` (an address as a parameter): written so that nobody takes it for the start of one. */
function returnTo(path: string, query: string): string {
  const whole = query === '' ? path : `${path}?${query.replaceAll('\\', '%5C').replaceAll('//', '/%2F')}`
  if (whole.length <= longest) return whole
  return path.length <= longest ? path : '/'
}

function decode(path: string): string | undefined {
  try {
    return decodeURIComponent(path)
  } catch {
    return undefined
  }
}
