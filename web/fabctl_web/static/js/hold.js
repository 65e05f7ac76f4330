// Hold to stop: one second with a finger, a mouse, Enter or Space. A short tap only explains.
(() => {
  "use strict";
  const HOLD_MS = 1000;
  const SLACK_PX = 16;
  const button = document.querySelector("[data-hold]");
  if (!button) return;
  const hint = document.getElementById("hold-hint");
  let timer = null;

  const begin = () => {
    if (timer) return;
    hint.hidden = true;
    button.classList.add("holding");
    timer = setTimeout(() => {
      timer = null;
      button.form.elements.held.value = "1";
      button.form.submit();
    }, HOLD_MS);
  };
  const cancel = () => {
    if (!timer) return;
    clearTimeout(timer);
    timer = null;
    button.classList.remove("holding");
    hint.hidden = false;
    setTimeout(() => { hint.hidden = true; }, 4000);
  };

  button.addEventListener("pointerdown", (event) => {
    if (event.button === 0) begin();
  });
  for (const name of ["pointerup", "pointerleave", "pointercancel", "blur"]) {
    button.addEventListener(name, cancel);
  }
  // A touch is captured by the button: only its place tells that the finger slid off.
  button.addEventListener("pointermove", (event) => {
    const box = button.getBoundingClientRect();
    const inside = event.clientX >= box.left - SLACK_PX && event.clientX <= box.right + SLACK_PX
      && event.clientY >= box.top - SLACK_PX && event.clientY <= box.bottom + SLACK_PX;
    if (!inside) cancel();
  });
  button.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    if (!event.repeat) begin();
  });
  button.addEventListener("keyup", (event) => {
    if (event.key === "Enter" || event.key === " ") cancel();
  });
  // Without this script the button sends its form, and the server asks "are you sure?".
  button.addEventListener("click", (event) => event.preventDefault());
  button.addEventListener("contextmenu", (event) => event.preventDefault());
})();
