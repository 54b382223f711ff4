/** A refusal for a person: the same facts as the problem document, on a small page that loads nothing. */

export interface PageFacts {
  readonly status: number
  readonly title: string
  readonly detail: string
  readonly code: string
  readonly requestId: string
  readonly advice?: PageAdvice | undefined
}

/** What to do about it, and where. */
export interface PageAdvice {
  readonly text: string
  readonly label: string
  readonly href: string
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
form,nav{display:grid;gap:.75rem;margin:1rem 0;min-width:min(20rem,80vw)}
label{font-weight:600}
input,button,.button{box-sizing:border-box;width:100%;padding:.625rem .875rem;font:inherit;border-radius:.375rem;border:1px solid #8a8a86;text-align:center}
input{background:#fff;color:inherit;text-align:left}
button,.button{background:#1c1c1c;border-color:#1c1c1c;color:#fff;cursor:pointer;text-decoration:none}
nav .button+.button,form~nav .button{background:none;color:inherit}
.or{text-align:center;color:#5a5a5a;margin:0}
[role=alert]{color:#a32020}
:focus-visible{outline:3px solid #4a8cf0;outline-offset:2px}
@media(prefers-color-scheme:dark){body{color:#ececec;background:#1b1b1d}dl,.or{color:#a9a9a9}a{color:#8ab4ff}input{background:#2a2a2d}button,.button{background:#ececec;border-color:#ececec;color:#1b1b1d}[role=alert]{color:#ff8f8f}}
`

export function renderPage(facts: PageFacts): string {
  const { advice } = facts
  const told =
    advice === undefined
      ? `<p>${escapeHtml(sentence(facts.detail))}</p>\n`
      : `<p>${escapeHtml(sentence(advice.text))} <a href="${escapeHtml(advice.href)}">${escapeHtml(advice.label)}</a></p>\n`
  return renderDocument({
    title: `${String(facts.status)} ${facts.title}`,
    heading: facts.title,
    body: `${told}<dl>
<dt>Status</dt><dd>${String(facts.status)}</dd>
<dt>Code</dt><dd>${escapeHtml(facts.code)}</dd>
<dt>Request</dt><dd>${escapeHtml(facts.requestId)}</dd>
</dl>`,
  })
}

export interface DocumentParts {
  readonly title: string
  readonly heading: string
  /** HTML, escaped already; so is `head`. */
  readonly body: string
  readonly head?: string
}

/** The look of all pages of the gateway's own. */
export function renderDocument({ title, heading, body, head }: DocumentParts): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="robots" content="noindex">
${head === undefined ? '' : `${head}\n`}<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${escapeHtml(heading)}</h1>
${body}
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
