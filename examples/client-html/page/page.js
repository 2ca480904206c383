import { createAuthFetch } from "/client.js";

const at = (id) => document.getElementById(id);
const say = (text) => {
  at("status").textContent = text;
};

const authFetch = createAuthFetch({
  // Both are told in every tab.
  onSignIn: show,
  onSignOut: (reason) => {
    say(reason === "logout" ? "Signed out." : `Please sign in again (${reason}).`);
    show();
  },
  onStepUp: askAgain,
});

async function show() {
  const answer = await authFetch("/me");
  if (answer.status > 401) return say(`Not now (${answer.status}).`);
  at("login").hidden = answer.ok;
  at("account").hidden = !answer.ok;
  if (answer.ok) at("name").textContent = (await answer.json()).id;
}

async function signIn(username, password) {
  const headers = { "Content-Type": "application/json" };
  const answer = await authFetch("/login", { method: "POST", headers, body: JSON.stringify({ username, password }) });
  const body = await answer.json();
  say(answer.ok ? "" : body.msg);
  if (answer.ok) await authFetch.signedIn(body);
  return answer.ok;
}

/** A route wants a login that is fresher. Gives whether there is one now. */
function askAgain() {
  const dialog = at("again");
  const form = dialog.querySelector("form");
  form.reset();
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((done) => {
    const closed = () =>
      done(dialog.returnValue === "yes" && signIn(at("name").textContent, form.elements.password.value));
    dialog.addEventListener("close", closed, { once: true });
  });
}

async function act(path, method) {
  const answer = await authFetch(path, { method });
  say(`${method} ${path}: ${answer.status} ${await answer.text()}`);
}

at("login").addEventListener("submit", (event) => {
  event.preventDefault();
  const { username, password } = event.target.elements;
  signIn(username.value, password.value);
});
at("send").addEventListener("click", () => act("/transfer", "POST"));
at("close").addEventListener("click", () => act("/account", "DELETE"));
at("leave").addEventListener("click", () => authFetch.logout());
show();
