const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');

const STYLE = `
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 24rem; margin: 4rem auto; padding: 0 1rem;
    color: #1c1e21; background: #fafafa }
  h1 { font-size: 1.3rem } form { margin: .5rem 0 } p, small { color: #555 }
  button, input[type=email] { font: inherit; width: 100%; box-sizing: border-box; padding: .6rem .8rem;
    border: 1px solid #c8ccd0; border-radius: .5rem; background: #fff; text-align: left }
  button { cursor: pointer } button:hover, button:focus { border-color: #2457d6 }
  label { display: block; margin: .5rem 0 }
  @media (prefers-color-scheme: dark) {
    body { color: #e8e8e8; background: #16181b } p, small { color: #aaa }
    button, input[type=email] { color: inherit; background: #22262b; border-color: #454b52 } }
`;

const page = (title: string, body: string): string => `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)}</title>
<style>${STYLE}</style></head>
<body><main>
<h1>${escaped(title)}</h1>
${body}
</main></body>
</html>
`;

const SAMPLES = [
  { email: 'ada@example.test', name: 'Ada Lovelace', admin: false },
  { email: 'alan@example.test', name: 'Alan Turing', admin: false },
  { email: 'grace@example.test', name: 'Grace Hopper', admin: true },
] as const;

const sample = (action: string, { email, name, admin }: (typeof SAMPLES)[number]): string => `
<form method="post" action="${escaped(action)}">
  <input type="hidden" name="email" value="${email}"><input type="hidden" name="name" value="${name}">
  ${admin ? '<input type="hidden" name="admin" value="on">' : ''}
  <button>${name}${admin ? ' <small>administrator</small>' : ''}<br><small>${email}</small></button>
</form>`;

/** The page on which anybody may be anybody; its forms are sent to `action`. */
export const loginPage = (action: string): string =>
  page(
    'Who are you?',
    `<p>This is the sign-in of a server on your own machine. It believes you.</p>
${SAMPLES.map((person) => sample(action, person)).join('')}
<form method="post" action="${escaped(action)}">
  <label>Somebody else <input type="email" name="email" required placeholder="you@example.test"></label>
  <label><input type="checkbox" name="admin"> administrator</label>
  <button>Sign in</button>
</form>`,
  );

/** A page that says one thing. */
export const noticePage = (title: string, text: string): string => page(title, `<p>${escaped(text)}</p>`);
