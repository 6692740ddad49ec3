// A digit chooses that answer of the row one is in; the file of matches is sent without leaving the page.
document.querySelector(".matching")?.addEventListener("keydown", (event) => {
  const row = event.target.closest("fieldset");
  const answers = row ? [...row.querySelectorAll("input[type=radio]")] : [];
  const chosen = /^[1-9]$/.test(event.key) ? answers[Number(event.key) - 1] : undefined;
  if (!chosen || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  chosen.checked = true;
  const rows = [...document.querySelectorAll("fieldset.match")];
  const next = rows[rows.indexOf(row) + 1];
  (next?.querySelector("input:checked") ?? document.querySelector(".match-actions button")).focus();
});

document.querySelector("form[data-upload]")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.currentTarget;
  const said = form.querySelector("[data-said]");
  const headers = { "X-CSRF-Token": form.dataset.csrf, "Accept-Language": document.documentElement.lang };
  try {
    const answer = await fetch(form.dataset.upload, { method: "POST", headers, body: new FormData(form) });
    const told = await answer.json();
    if (!answer.ok) {
      said.textContent = told.detail ?? form.dataset.failed;
      return;
    }
    said.textContent = form.dataset.sent;
    location.reload();
  } catch {
    said.textContent = form.dataset.failed;
  }
});
