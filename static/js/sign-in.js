// Opens the sign-in link /login#token=…: takes the token out of the address, which is never sent
// to the server, and sends it as the form does.

function signIn() {
  const form = document.querySelector("form[data-sign-in]");
  if (!location.hash.startsWith("#token=")) return;
  const token = decoded(location.hash.slice("#token=".length));
  history.replaceState(null, "", location.pathname + location.search);
  if (!form || !token) return;
  form.elements.token.value = token;
  form.requestSubmit();
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

addEventListener("hashchange", signIn);
signIn();
