/** A refusal for a person: the same facts as the problem document, on a small page that loads nothing. */

export interface PageFacts {
  readonly status: number
  readonly title: string
  readonly detail: string
  readonly code: string
  readonly requestId: string
}

/** Nothing but the style in the page itself: were a fact ever to slip through unescaped, it could not run. */
export const pagePolicy =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const style = `
body{font:1rem/1.5 system-ui,sans-serif;margin:0;min-height:100vh;display:grid;place-items:center;color:#1c1c1c;background:#f7f7f5}
main{max-width:32rem;padding:2rem}
h1{font-size:1.5rem;margin:0 0 .5rem}
p{margin:0 0 1rem}
dl{display:grid;grid-template-columns:auto 1fr;gap:.25rem 1rem;margin:0;font-size:.875rem;color:#5a5a5a}
dt{grid-column:1}
dd{grid-column:2;margin:0;font-family:ui-monospace,monospace;overflow-wrap:anywhere}
@media(prefers-color-scheme:dark){body{color:#ececec;background:#1b1b1d}dl{color:#a9a9a9}}
`

export function renderPage(facts: PageFacts): string {
  const title = escapeHtml(facts.title)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="robots" content="noindex">
<title>${String(facts.status)} ${title}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${title}</h1>
<p>${escapeHtml(sentence(facts.detail))}</p>
<dl>
<dt>Status</dt><dd>${String(facts.status)}</dd>
<dt>Code</dt><dd>${escapeHtml(facts.code)}</dd>
<dt>Request</dt><dd>${escapeHtml(facts.requestId)}</dd>
</dl>
</main>
</body>
</html>
`
}

function sentence(text: string): string {
  const first = text.slice(0, 1).toUpperCase() + text.slice(1)
  return first.endsWith('.') ? first : `${first}.`
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => escapes[character] ?? '')
}
