// Everything here is a convenience: the pages do all their work without it.
"use strict";

// Copy buttons. They are hidden until a script can serve them.
const dress = (part) => {
  for (const button of part.querySelectorAll("button[data-copy]")) {
    if (!navigator.clipboard) continue;
    const before = button.textContent;
    button.hidden = false;
    button.setAttribute("aria-live", "polite");
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(button.parentElement.querySelector("code").textContent);
        button.textContent = "Copied";
      } catch {
        button.textContent = "Select and copy it";
      }
      setTimeout(() => { button.textContent = before; }, 2000);
    });
  }
  for (const note of part.querySelectorAll("[data-polling]")) note.hidden = false;
};
dress(document);

// A form is sent once, however often its button is pressed.
for (const form of document.querySelectorAll("form[method=post]")) {
  let sent = false;
  form.addEventListener("submit", (event) => {
    if (sent) event.preventDefault();
    sent = true;
  });
}
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

// What went wrong is read out first.
document.getElementById("problem")?.focus();

// A page of work under way is loaded anew, as long as it is looked at.
if (document.querySelector("[data-reload]")) {
  setInterval(() => { if (!document.hidden) location.reload(); }, 2000);
}

// A page on which somebody waits looks by itself, as long as it is looked at.
const waiting = document.querySelector("[data-poll]");
if (waiting) {
  let state = waiting.dataset.state;
  const look = async () => {
    if (document.hidden) return true;
    const answer = await fetch(waiting.dataset.poll, { headers: { accept: "application/json" }, redirect: "error" });
    if (answer.status === 401 || answer.status === 403 || answer.status === 404) return false;
    if (!answer.ok) return true;
    const now = await answer.json();
    if (now.state === state) return now.pending;
    const page = new DOMParser().parseFromString(await (await fetch(location.href, { redirect: "error" })).text(), "text/html");
    const fresh = page.getElementById("set-up");
    if (!fresh) return false;
    state = now.state;
    document.getElementById("set-up").replaceWith(document.adoptNode(fresh));
    document.getElementById("start-said").textContent = fresh.dataset.said;
    dress(fresh);
    return now.pending;
  };
  const again = async () => {
    let more = false;
    try { more = await look(); } catch { more = navigator.onLine !== false && ++failures < 20; }
    if (more) setTimeout(again, 3000);
  };
  let failures = 0;
  setTimeout(again, 3000);
}
