// The size check before sending, and no double sending.
(() => {
  "use strict";
  const file = document.querySelector("input[data-max-bytes]");
  if (file) {
    const problem = document.getElementById("too-large");
    const tooLarge = () => file.files.length > 0 && file.files[0].size > Number(file.dataset.maxBytes);
    const chosen = () => {
      problem.hidden = !tooLarge();
      if (!problem.hidden) problem.scrollIntoView({ block: "center" });
      if (file.files.length > 0) document.getElementById("chosen").textContent = file.files[0].name;
    };
    file.addEventListener("change", chosen);
    if (file.files.length > 0) chosen(); // before this script ran, or kept by the browser
    file.form.addEventListener("submit", (event) => {
      if (!tooLarge()) return;
      event.preventDefault();
      problem.hidden = false;
      problem.focus();
    });
  }

  // One tap, one request: the button rests until the next page comes.
  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    // What it sends counts: an answer to an earlier tap that comes later would take it back.
    if (event.target.matches("[hx-post]")) htmx.trigger(event.target, "htmx:abort");
    for (const button of event.target.querySelectorAll("button:not([data-hold])")) {
      if (button.dataset.wait) button.lastChild.textContent = " " + button.dataset.wait;
      setTimeout(() => { button.disabled = true; }, 0);
    }
  });
  // Back from the history: buttons work again.
  window.addEventListener("pageshow", () => {
    for (const button of document.querySelectorAll("button[disabled]")) button.disabled = false;
  });
})();
