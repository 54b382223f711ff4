/** Names and words: of things in the file, of header fields, cookies and parameters, of methods and hosts. */
import { isIP } from 'node:net'
import { Unreadable, type Scalar } from './scalar.ts'

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/** What providers, authenticators and upstreams are called. Names stand in headers, claims, URLs and metric labels. */
export const name: Scalar<string> = {
  title: 'name',
  ...pattern(
    'a name of letters, digits, `-`, `_` and `.`, at most 64, beginning with a letter, digit or `_`',
    /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/,
  ),
}

/** A name that stands elsewhere in the file. */
export const providerName: Scalar<string> = {
  ...name,
  expected: 'the name of a provider, as it stands under `providers`',
}
export const authenticatorName: Scalar<string> = {
  ...name,
  expected: 'the name of an authenticator, as it stands under `authenticators`',
}
export const upstreamName: Scalar<string> = {
  ...name,
  expected: 'the name of an upstream, as it stands under `upstreams`',
}

/** What a route is called: as a name, with `/` and `:` besides. */
export const routeId: Scalar<string> = {
  title: 'id',
  ...pattern(
    'an id of letters, digits, `-`, `_`, `.`, `:` and `/`, at most 128, beginning with a letter, digit or `_`',
    /^[A-Za-z0-9_][A-Za-z0-9._:/-]{0,127}$/,
  ),
}

/** Text that is not nothing and has no control characters. */
export const text: Scalar<string> = pattern('text', /^[^\x00-\x1F\x7F]+$/)

/** A file's path; relative ones start at the configuration's folder. */
export const path: Scalar<string> = {
  title: 'path',
  ...pattern('the path of a file', /^[^\x00-\x1F\x7F]+$/),
}

/** A header field's name, as written. */
export const headerName: Scalar<string> = {
  ...pattern('the name of a header field, such as X-Tenant', token),
  repair: (found) => {
    const repaired = String(found).trim().replace(/:$/, '').replaceAll(' ', '-')
    return token.test(repaired) && repaired !== found ? repaired : undefined
  },
}

/** A header field's value (RFC 9110 5.5): no line breaks, which would begin another field. */
export const headerValue: Scalar<string> = {
  expected:
    'text (in quotes where it looks like a number): visible ASCII, without line breaks and without spaces at either end',
  read: (found) =>
    /^(?:[\x21-\x7E](?:[\x20-\x7E\t]*[\x21-\x7E])?)?$/.test(found) ? found : new Unreadable(),
  repair: (found) => (typeof found === 'string' ? undefined : `"${found}"`),
}

/** Where a credential is read: a header field's name, lower-case. */
export const credentialHeader: Scalar<string> = {
  expected: 'the name of a header field that can carry a credential, such as x-api-key',
  pattern: token,
  read(found) {
    const lower = found.toLowerCase()
    if (!token.test(found)) return new Unreadable()
    if (lower === 'cookie') return new Unreadable('write { cookie: NAME } to read one cookie')
    return unfitForCredentials.has(lower)
      ? new Unreadable('this field belongs to HTTP itself and cannot carry a credential')
      : lower
  },
}

/** A cookie's name. */
export const cookieName: Scalar<string> = {
  expected: 'the name of a cookie',
  pattern: token,
  read(found) {
    if (!token.test(found)) return new Unreadable()
    return /^(__Host-)?portcullis(-|$)/i.test(found)
      ? new Unreadable("this name is the gateway's own")
      : found
  },
}

/** A query parameter's name, as it stands decoded. */
export const parameterName: Scalar<string> = pattern('the name of a query parameter', /^[\x21-\x7E]+$/)

/** An authentication scheme (RFC 9110 11.1). */
export const scheme: Scalar<string> = pattern('an authentication scheme, such as Bearer', token)

/** A request method. */
export const method: Scalar<string> = {
  expected: 'a method in capitals, such as GET or POST',
  pattern: /^[A-Z]+(-[A-Z]+)*$/,
  read(found) {
    if (found === 'CONNECT' || found === 'TRACE')
      return new Unreadable('the gateway refuses this method everywhere')
    return /^[A-Z]+(-[A-Z]+)*$/.test(found) ? found : new Unreadable()
  },
  repair: (found) =>
    typeof found === 'string' && /^[a-z]+$/i.test(found.trim()) ? found.trim().toUpperCase() : undefined,
}

/** A request's host: exact, or `*.` in front for one label. Lower-case, without port and trailing dot. */
export const matchHost: Scalar<string> = {
  expected: 'a host name, such as api.example.com or *.example.com',
  pattern: /^(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$|^\[[0-9A-Fa-f:.]+\]$/,
  read(found) {
    const lower = found.toLowerCase()
    if (/^\[.*\]$/.test(lower)) return isIP(lower.slice(1, -1)) === 6 ? lower : new Unreadable()
    if (/^[^:]*:\d+$/.test(lower)) return new Unreadable('a host stands without its port')
    if (!/^[\x20-\x7E]*$/.test(lower))
      return new Unreadable('write an internationalised name in its xn-- form')
    if (lower.slice(1).includes('*') || (lower.startsWith('*') && !lower.startsWith('*.'))) {
      return new Unreadable('`*` stands only as the whole first label, as in *.example.com')
    }
    return /^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(lower) ? lower : new Unreadable()
  },
  repair(found) {
    const repaired = String(found)
      .trim()
      .toLowerCase()
      .replace(/^[a-z]+:\/\//, '')
      .replace(/[/?#].*$/, '')
      .replace(/(?<!:.*):\d+$/, '')
      .replace(/\.$/, '')
    return /^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)+$/.test(repaired) && repaired !== found ? repaired : undefined
  },
}

/** `rewrite.host`: `preserve`, or the Host to send. */
export const rewriteHost: Scalar<string> = {
  ...pattern(
    '`preserve` or a host name, such as catalog.internal',
    /^[A-Za-z0-9_][A-Za-z0-9._-]*(:\d{1,5})?$|^\[[0-9A-Fa-f:.]+\](:\d{1,5})?$/,
  ),
  repair: (found) => /^[a-z]+:\/\/([^/?#@]+)/i.exec(String(found).trim())?.[1],
}

/** What is asked for: a path, perhaps with a query. */
export const requestTarget: Scalar<string> = {
  expected: 'a path, such as /healthz',
  pattern: /^\/[^\s#]*$/,
  read: (found) => (/^\/(?!\/)[\x21\x22\x24-\x7E]*$/.test(found) ? found : new Unreadable()),
  repair: (found) => (typeof found === 'string' && /^[\w-][\w./-]*$/.test(found) ? `/${found}` : undefined),
}

/** A pattern of paths; what may stand in it is checked with the rest of the routes. */
export const pathPattern: Scalar<string> = {
  title: 'path',
  expected: 'a path as it arrives, such as /catalog, /catalog/* or /users/:id',
  pattern: /^\//,
  read: (found) => (found.startsWith('/') ? found : new Unreadable('a path begins with a slash')),
  repair: (found) => (/^[\w*:-]/.test(String(found)) ? `/${found}` : undefined),
}

/** The beginning of a path, without a slash at its end. */
export const pathPrefix: Scalar<string> = {
  expected: 'the beginning of a path: whole segments, such as /catalog or /api/v1',
  pattern: /^(\/[^/?#*\\\s]+)+$/,
  read(found) {
    if (/(^|\/)\.{1,2}(\/|$)/.test(found)) return new Unreadable('dot segments have no place here')
    return /^(\/[\x21\x22\x24-\x29\x2B-\x2E\x30-\x3E\x40-\x5B\x5D-\x7E]+)+$/.test(found)
      ? found
      : new Unreadable()
  },
  repair: (found) =>
    `/${String(found)
      .trim()
      .split('/')
      .filter((each) => each !== '' && each !== '*')
      .join('/')}`,
}

/** What a rate limit counts by. */
export const limitKey: Scalar<string> = choice(['identity', 'key', 'address', 'route'])

/** What `balance: hash` hashes. */
export const hashKey: Scalar<string> = choice(['identity', 'address'])

function choice(words: readonly string[]): Scalar<string> {
  return {
    title: [...words, 'header:NAME'].map((word) => `\`${word}\``).join(' or '),
    expected: `${words.join(', ')} or header:NAME`,
    pattern: new RegExp(`^(${words.join('|')}|header:[!#$%&'*+.^_\`|~0-9A-Za-z-]+)$`),
    read(found) {
      if (words.includes(found)) return found
      const header = found.startsWith('header:') ? found.slice('header:'.length) : ''
      return token.test(header) ? `header:${header.toLowerCase()}` : new Unreadable()
    },
    repair(found) {
      const known: Readonly<Record<string, string>> = {
        ip: 'address',
        client: 'identity',
        user: 'identity',
        subject: 'identity',
        'api-key': 'key',
      }
      const word = String(found).trim().toLowerCase()
      const meant = known[word] ?? word
      if (words.includes(meant)) return meant
      return /^header[ .=/-]+[\w-]+$/.test(word) ? `header:${word.replace(/^header[ .=/-]+/, '')}` : undefined
    },
  }
}

function pattern(expected: string, accepted: RegExp): Scalar<string> {
  return { expected, pattern: accepted, read: (found) => (accepted.test(found) ? found : new Unreadable()) }
}

const unfitForCredentials: ReadonlySet<string> = new Set([
  'host',
  'connection',
  'content-length',
  'content-type',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'expect',
  'keep-alive',
  'proxy-connection',
  'origin',
  'set-cookie',
  'x-request-id',
  'dpop',
])
