// The catalog for people in a browser: what it holds, whom it was told is looking, and a way to try a change.
import { createHash } from 'node:crypto'
import type { HandedIdentity } from './caller.ts'
import type { CatalogItem } from './titles.ts'

/** A page and the fields that go out with it. */
export interface CatalogPage {
  readonly html: string
  readonly headers: Readonly<Record<string, string>>
}

const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 44rem; margin: 2rem auto; padding: 0 1rem }
header { display: flex; justify-content: space-between; align-items: baseline; gap: 1rem }
h1 { font-size: 1.5rem }
li { margin: .25rem 0 }
form { display: flex; gap: .5rem; margin: 1rem 0 }
input { flex: 1 }
input, button { font: inherit; padding: .4rem .6rem }
`

// Relative addresses: only the gateway knows under which path a browser sees this service.
const script = `
document.querySelector('form').addEventListener('submit', async (event) => {
  event.preventDefault()
  const answer = await fetch('items', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ title: event.target.title.value }),
  })
  const { code, item, error } = await answer.json()
  document.querySelector('output').textContent = item ? 'Added ' + item.title : answer.status + ' ' + (code ?? error)
})
`

/** Shows the items, and who the gateway says is looking. */
export function catalogPage(items: readonly CatalogItem[], { subject, roles }: HandedIdentity): CatalogPage {
  const who = subject === undefined ? 'nobody' : `${subject} (${roles.join(', ')})`
  const rows = items.map(({ title, year }) => `<li>${escapeHtml(title)}, ${String(year)}</li>`).join('\n')
  const html = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Catalog</title><style>${style}</style></head>
<body>
<header><h1>Catalog</h1><p>You are <strong>${escapeHtml(who)}</strong> · <a href="/.portcullis/logout">Sign out</a></p></header>
<form><input name="title" aria-label="Title" placeholder="A title to add (editors and admins may)" required><button>Add</button></form>
<p><output></output></p>
<ul>
${rows}
</ul>
<script>${script}</script>
</body>
</html>
`
  return {
    html,
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'X-Content-Type-Options': 'nosniff',
      'Content-Security-Policy': `default-src 'none'; style-src ${hashOf(style)}; script-src ${hashOf(script)}; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    },
  }
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`)
}
