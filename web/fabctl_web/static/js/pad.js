// The keys of a code. Run before the page is drawn: a key that can be seen works.
(() => {
  "use strict";
  document.addEventListener("click", (event) => {
    const key = event.target.closest("[data-key]");
    if (!key) return;
    const code = document.querySelector("input.pin");
    code.value = key.dataset.key === "delete"
      ? code.value.slice(0, -1)
      : (code.value + key.dataset.key).slice(0, code.maxLength);
  });
})();
