// The few pages that a browser sees: no script, no outside resource, and a policy that says so.
import { createHash } from 'node:crypto'

const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { display: grid; place-items: center; min-height: 90vh; margin: 0 }
main { width: min(22rem, 90vw) }
h1 { font-size: 1.25rem; margin: 0 0 .25rem }
p { margin: 0 0 1rem; opacity: .75 }
label { display: block; margin: 0 0 .75rem }
input, button { box-sizing: border-box; width: 100%; padding: .5rem; font: inherit }
.error { opacity: 1; color: #c62828 }
`

/** A page and the fields that must go out with it. */
export interface Page {
  readonly html: string
  readonly headers: Readonly<Record<string, string>>
}

/**
 * @param formTargets - origins that a form's answer may redirect to; browsers hold `form-action` against the whole chain
 */
export function page(title: string, body: string, formTargets: readonly string[] = []): Page {
  const html = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title><style>${style}</style></head>
<body><main><h1>${escapeHtml(title)}</h1>${body}</main></body>
</html>
`
  const hash = createHash('sha256').update(style).digest('base64')
  return {
    html,
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Cache-Control': 'no-store',
      'Referrer-Policy': 'no-referrer',
      'X-Content-Type-Options': 'nosniff',
      'Content-Security-Policy': `default-src 'none'; style-src 'sha256-${hash}'; form-action ${["'self'", ...formTargets].join(' ')}; base-uri 'none'; frame-ancestors 'none'`,
    },
  }
}

/** The form that asks who is there. */
export function loginPage(login: {
  readonly action: string
  readonly client: string
  readonly name?: string
  readonly error?: string
  readonly formTargets: readonly string[]
}): Page {
  const error =
    login.error === undefined ? '' : `<p class="error" role="alert">${escapeHtml(login.error)}</p>`
  const body = `<p>to continue to ${escapeHtml(login.client)}</p>${error}
<form method="post" action="${escapeHtml(login.action)}">
<label>User name<input name="name" value="${escapeHtml(login.name ?? '')}" autocomplete="username" required autofocus></label>
<label>Password<input name="password" type="password" autocomplete="current-password" required></label>
<button>Sign in</button>
</form>`
  return page('Sign in', body, login.formTargets)
}

/** @param form - the library's own form, with its token against forged requests */
export function logoutPage(form: string, formTargets: readonly string[]): Page {
  const body = `<p>Do you want to sign out?</p>${form}
<button type="submit" form="op.logoutForm" name="logout" value="yes" autofocus>Sign out</button>`
  return page('Sign out', body, formTargets)
}

/** A page that only says something. */
export function messagePage(title: string, message: string): Page {
  return page(title, `<p>${escapeHtml(message)}</p>`)
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`)
}
