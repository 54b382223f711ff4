/** As much of a browser as signing in needs: a jar of cookies for each host, navigations, redirects, forms. Runs no script. */
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { request as httpsRequest } from 'node:https'

export interface Seen {
  readonly url: string
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface Visit {
  readonly method?: string
  readonly form?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  /** False: the first answer, whatever it is. */
  readonly follow?: boolean
}

export class TestBrowser {
  /** Host and port → name → value. */
  readonly jar: Map<string, Map<string, string>> = new Map()
  /** Names without a port of their own → the port to dial. */
  readonly ports: Map<string, number> = new Map()
  /** Every answer, redirects too. */
  readonly history: Seen[] = []

  /** Goes to a page as if its address had been typed, and follows where it leads. */
  async visit(url: string, options: Visit = {}): Promise<Seen> {
    let seen = await this.#once(url, options)
    for (let hop = 0; hop < 15 && options.follow !== false; hop += 1) {
      const location = seen.headers.location
      if (location === undefined || seen.status < 300 || seen.status > 399) break
      seen = await this.#once(new URL(location, seen.url).href, {})
    }
    return seen
  }

  /** Sends the form of a page as a person would: from that page. */
  submit(page: Seen, form: Readonly<Record<string, string>>, options: Visit = {}): Promise<Seen> {
    const action = /<form[^>]*action="([^"]*)"/.exec(page.body)?.[1] ?? page.url
    const origin = new URL(page.url).origin
    return this.visit(new URL(action.replaceAll('&amp;', '&'), page.url).href, {
      ...options,
      method: 'POST',
      form,
      headers: { origin, 'sec-fetch-site': 'same-origin', ...options.headers },
    })
  }

  /** A call by a script: no navigation. */
  call(url: string, options: Visit = {}): Promise<Seen> {
    return this.#once(url, {
      ...options,
      headers: { accept: 'application/json', 'sec-fetch-mode': 'cors', ...options.headers },
    })
  }

  cookie(url: string, name: string): string | undefined {
    return this.jar.get(new URL(url).host)?.get(name)
  }

  /** Plants a cookie, as an attacker on the machine or on a sibling host could. */
  plant(url: string, name: string, value: string): void {
    this.#cookiesOf(new URL(url).host).set(name, value)
  }

  #cookiesOf(host: string): Map<string, string> {
    const known = this.jar.get(host)
    if (known !== undefined) return known
    const made = new Map<string, string>()
    this.jar.set(host, made)
    return made
  }

  async #once(url: string, { method = 'GET', form, headers = {} }: Visit): Promise<Seen> {
    const target = new URL(url)
    const cookies = this.#cookiesOf(target.host)
    const body = form === undefined ? undefined : new URLSearchParams(form).toString()
    const send = target.protocol === 'https:' ? httpsRequest : httpRequest
    const seen = await new Promise<Seen>((resolve, reject) => {
      const request = send(
        {
          // Every name leads here: only its port says who answers.
          host: '127.0.0.1',
          port: this.ports.get(target.host) ?? target.port,
          servername: target.hostname,
          rejectUnauthorized: false,
          path: target.pathname + target.search,
          method,
          headers: {
            host: target.host,
            accept: 'text/html,application/xhtml+xml,*/*;q=0.8',
            'sec-fetch-mode': 'navigate',
            ...(cookies.size === 0
              ? {}
              : { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') }),
            ...(body === undefined
              ? {}
              : {
                  'content-type': 'application/x-www-form-urlencoded',
                  'content-length': Buffer.byteLength(body),
                }),
            ...headers,
          },
        },
        (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('error', reject)
          response.on('end', () =>
            resolve({
              url,
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: Buffer.concat(chunks).toString(),
            }),
          )
        },
      )
      request.on('error', reject)
      request.end(body)
    })
    for (const line of seen.headers['set-cookie'] ?? []) keep(cookies, line)
    this.history.push(seen)
    return seen
  }
}

function keep(cookies: Map<string, string>, line: string): void {
  const [pair = '', ...attributes] = line.split(';').map((each) => each.trim())
  const name = pair.slice(0, pair.indexOf('='))
  const value = pair.slice(pair.indexOf('=') + 1)
  const isOver = attributes.some(
    (each) => /^max-age=0$/i.test(each) || /^expires=thu, 01 jan 1970/i.test(each),
  )
  if (isOver) cookies.delete(name)
  else cookies.set(name, value)
}
