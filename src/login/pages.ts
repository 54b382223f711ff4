/** What people see: a choice of providers, a button to sign out, and that they are signed out. */
import { escapeHtml } from './answers.ts'
import type { LoginDependencies } from './dependencies.ts'
import type { Choice } from './settings.ts'

type Layout = Pick<LoginDependencies, 'page'>

export interface ChooserFacts {
  readonly choices: readonly Choice[]
  readonly returnTo: string
  readonly stepUp: string | undefined
  readonly asksForEmail: boolean
  /** What was typed, where no provider is known for it. */
  readonly email?: string
}

/** Choices are links and not buttons of a form: browsers hold a form's policy against the provider's own redirects. */
export function chooserPage({ page }: Layout, facts: ChooserFacts): string {
  const { choices, asksForEmail } = facts
  const isUnknown = facts.email !== undefined
  const note = isUnknown
    ? '<p role="alert">No provider is known for this e-mail address. Choose one.</p>'
    : '<p>Choose where you have an account.</p>'
  const links = choices
    .map(
      (choice) =>
        `<a class="button" href="${escapeHtml(hrefOf(choice, facts))}">${escapeHtml(labelOf(choice, choices))}</a>`,
    )
    .join('\n')
  const form = asksForEmail
    ? `<form method="post" action="/.portcullis/login">
<input type="hidden" name="return_to" value="${escapeHtml(facts.returnTo)}">
${facts.stepUp === undefined ? '' : `<input type="hidden" name="step_up" value="${escapeHtml(facts.stepUp)}">`}
<label for="email">E-mail address</label>
<input id="email" name="email" type="email" autocomplete="email" required value="${escapeHtml(facts.email ?? '')}">
<button>Continue</button>
</form>
<p class="or">or</p>`
    : ''
  return page('Sign in', `${note}\n${form}\n<nav>${links}</nav>`)
}

/** Leads on by itself: a form may not be answered with a redirect to wherever the provider leads. */
export function continuePage({ page }: Layout, location: string, label: string): string {
  const target = escapeHtml(location)
  return page(
    'Sign in',
    `<p>You are taken to ${escapeHtml(label)}.</p>\n<nav><a class="button" href="${target}">Continue</a></nav>`,
    `<meta http-equiv="refresh" content="0;url=${target}">`,
  )
}

export function logoutPage({ page }: Layout): string {
  return page(
    'Sign out',
    `<p>This ends your session here and at your provider.</p>
<form method="post" action="/.portcullis/logout"><button>Sign out</button></form>`,
  )
}

export function loggedOutPage({ page }: Layout): string {
  return page(
    'Signed out',
    '<p>You are signed out.</p>\n<nav><a class="button" href="/.portcullis/login">Sign in again</a></nav>',
  )
}

export function labelOf({ settings, provider }: Choice, among: readonly Choice[] = []): string {
  const label = settings.choose.labels[provider] ?? provider
  const isShared = among.some((each) => each.provider === provider && each.settings !== settings)
  return isShared ? `${label} (${settings.name})` : label
}

function hrefOf({ settings, provider }: Choice, { choices, returnTo, stepUp }: ChooserFacts): string {
  const isShared = choices.some((each) => each.provider === provider && each.settings !== settings)
  const parameters = new URLSearchParams({ provider, return_to: returnTo })
  if (isShared) parameters.set('authenticator', settings.name)
  if (stepUp !== undefined) parameters.set('step_up', stepUp)
  return `/.portcullis/login?${parameters.toString()}`
}
