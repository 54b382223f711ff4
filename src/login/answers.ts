/** The answers that a browser gets while it signs in and out: redirects, and small pages that load nothing and run nothing. */
import type { Answer } from '../exchange.ts'

const everywhere = ['Cache-Control', 'no-store', 'X-Content-Type-Options', 'nosniff'] as const
/** The address of a callback holds a code, and that of a login where somebody wanted to go: told to nobody else. */
const untold = ['Referrer-Policy', 'no-referrer'] as const
/** The same, but for ourselves: with `no-referrer` browsers send the forms of a page with `Origin: null`. */
const toldToUs = ['Referrer-Policy', 'same-origin'] as const

export function redirectTo(location: string, cookies: readonly string[], status: 302 | 303 = 302): Answer {
  return {
    status,
    fields: [
      'Location',
      location,
      ...cookies.flatMap((each) => ['Set-Cookie', each]),
      ...everywhere,
      ...untold,
    ],
    body: '',
  }
}

/** @param formTargets what forms of the page may lead to besides this origin; browsers hold it against redirects too */
export function pageAnswer(
  html: string,
  { status = 200, cookies = [], formTargets = [] }: PageOptions = {},
): Answer {
  const policy = [
    "default-src 'none'",
    "style-src 'unsafe-inline'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    `form-action ${["'self'", ...formTargets].join(' ')}`,
  ].join('; ')
  return {
    status,
    fields: [
      'Content-Type',
      'text/html; charset=utf-8',
      'Content-Security-Policy',
      policy,
      ...cookies.flatMap((each) => ['Set-Cookie', each]),
      ...everywhere,
      ...toldToUs,
    ],
    body: html,
  }
}

export interface PageOptions {
  readonly status?: number
  readonly cookies?: readonly string[]
  readonly formTargets?: readonly string[]
}

export function jsonAnswer(value: unknown, status = 200): Answer {
  return {
    status,
    fields: ['Content-Type', 'application/json', ...everywhere],
    body: `${JSON.stringify(value)}\n`,
  }
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => escapes[character] ?? '')
}
