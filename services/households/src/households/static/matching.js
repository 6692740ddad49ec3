// A digit chooses that answer of the row one is in.
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
