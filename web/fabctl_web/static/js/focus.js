// Whoever has the focus in a part of the page that comes anew keeps it, on the control that does the
// same. htmx does that by ids alone, and most of these controls have none.
(() => {
  "use strict";
  const CONTROLS = "a[href], button, input, select, textarea, summary";
  let held = null;

  // What a control does: where it leads, or what it sends. Its words may change.
  const sent = (form) => [...form.elements]
    .filter((one) => one.type === "hidden" && one.name !== "csrf_token")
    .map((one) => [one.name, one.value]);
  const does = (control) => JSON.stringify([
    control.tagName, control.id, control.getAttribute("href"), control.getAttribute("name"),
    control.getAttribute("value"), control.matches("summary") && control.textContent.trim(),
    control.form && [control.form.getAttribute("action"), sent(control.form)],
  ]);
  const alike = (deed) =>
    [...document.querySelectorAll(CONTROLS)].filter((one) => does(one) === deed);

  const hold = (part) => {
    const control = document.activeElement;
    held = null;
    if (control === part || !part.contains(control) || !control.matches(CONTROLS)) return;
    const deed = does(control);
    held = { control, deed, place: alike(deed).indexOf(control) };
  };
  document.body.addEventListener("htmx:beforeSwap", (event) => hold(event.detail.target));
  document.body.addEventListener("htmx:sseBeforeMessage", (event) => hold(event.target));
  document.body.addEventListener("htmx:afterSwap", () => {
    if (!held || document.activeElement !== document.body) return;
    const { control, deed, place } = held;
    held = null;
    const again = control.isConnected ? control : alike(deed)[place];
    if (again) again.focus({ preventScroll: true });
  });
})();
