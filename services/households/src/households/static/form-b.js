// What follows from the form is shown while one fills it in. Without this script the button shows it.
const form = document.querySelector("form[data-look]");
const found = form?.querySelector("[data-found]");
let asked = 0;
let waiting;

async function look() {
  const turn = (asked += 1);
  const body = new URLSearchParams(new FormData(form));
  body.set("step", "look");
  try {
    const answer = await fetch(form.getAttribute("action").split("#")[0], {
      method: "POST",
      body,
      headers: { Accept: "text/html" },
    });
    if (turn !== asked || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    // Faults of what is not filled in yet are told when the button asks.
    const shown = answer.ok ? page.querySelector("[data-found]") : null;
    found.replaceChildren(...(shown ? [...shown.childNodes].map((node) => document.importNode(node, true)) : []));
    // What was named as missing is there now.
    if (shown?.childElementCount) {
      document.querySelector("#refused")?.remove();
      form.querySelectorAll(".field-error").forEach((one) => one.remove());
      form.querySelectorAll(".wrong").forEach((one) => one.classList.remove("wrong"));
      form.querySelectorAll("[aria-invalid]").forEach((one) => one.removeAttribute("aria-invalid"));
    }
    const end = page.querySelector(".actions.end");
    const present = form.querySelector(".actions.end");
    if (end && !present.contains(document.activeElement)) {
      present.replaceChildren(...document.importNode(end, true).childNodes);
    }
  } catch {
    // The button still works.
  }
}

form?.addEventListener("change", (event) => {
  if (event.target.name === "on") return;
  clearTimeout(waiting);
  waiting = setTimeout(look, 250);
});
