// A file is sent without leaving the page, so that it stays chosen when it is refused: with its progress in words,
// and what was wrong beside the button. Without this script the page's own form does the same.
const day = /^(\d{1,2})[./-](\d{1,2})[./-](\d{4})$/;

// A day as programs read it; a box that is not ticked says no.
function written(form, name) {
  const given = String(new FormData(form).get(name) ?? "false").trim();
  const parts = day.exec(given);
  return encodeURIComponent(
    parts ? `${parts[3]}-${parts[2].padStart(2, "0")}-${parts[1].padStart(2, "0")}` : given,
  );
}

async function send(form) {
  const said = form.querySelector("[data-said]");
  const button = form.querySelector("button");
  const address = form.dataset.upload.replace(/\{(\w+)\}/g, (_, name) => written(form, name));
  const headers = { "X-CSRF-Token": form.dataset.csrf, "Accept-Language": document.documentElement.lang };
  const body = new FormData();
  body.append("file", form.elements.file.files[0]);
  said.textContent = form.dataset.sending ?? "";
  button.disabled = true;
  try {
    const answer = await fetch(address, { method: "POST", headers, body });
    const told = await answer.json();
    const known = answer.status === 409 && answer.headers.get("Location");
    if (known && form.dataset.open) {
      location.assign(`${form.dataset.open}${known.split("/").pop()}?known=true`);
      return;
    }
    if (!answer.ok) {
      said.textContent = told.detail ?? form.dataset.failed;
      return;
    }
    said.textContent = form.dataset.sent;
    if (form.dataset.open) location.assign(form.dataset.open + told.import_id);
    else location.reload();
  } catch {
    said.textContent = form.dataset.failed;
  } finally {
    button.disabled = false;
  }
}

for (const form of document.querySelectorAll("form[data-upload]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form);
  });
}
