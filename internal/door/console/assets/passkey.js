// Passkeys are given to scripts alone. Each form here asks the browser for what
// its options say, puts the answer into a field and sends itself.
"use strict";

const ways = globalThis.PublicKeyCredential;
for (const form of document.querySelectorAll("form[data-passkey]")) {
  const creates = form.dataset.passkey === "create";
  const button = form.querySelector("button");
  const says = form.querySelector("[data-says]");
  const say = (text) => { says.textContent = text; says.hidden = false; };
  if (!ways?.parseCreationOptionsFromJSON || !ways.parseRequestOptionsFromJSON) {
    say("This browser cannot use passkeys here. Use a newer one, or another way.");
    continue;
  }
  let asking = false;
  const ask = async (byItself) => {
    if (asking) return;
    asking = true;
    says.hidden = true;
    try {
      const options = JSON.parse(form.dataset.options);
      const answer = creates
        ? await navigator.credentials.create({ publicKey: ways.parseCreationOptionsFromJSON(options) })
        : await navigator.credentials.get({ publicKey: ways.parseRequestOptionsFromJSON(options) });
      form.elements.response.value = JSON.stringify(answer.toJSON());
      form.submit();
    } catch (error) {
      asking = false;
      if (byItself) return; // some browsers want a button pressed first
      say(error.name === "InvalidStateError" ? "This device has a passkey for your account already."
        : "That did not work, or took too long. Try again, or use another way.");
    }
  };
  button.hidden = false;
  form.addEventListener("submit", (event) => { event.preventDefault(); ask(false); });
  if ("auto" in form.dataset) ask(true);
}
