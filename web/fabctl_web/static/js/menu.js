// The menu closes by Escape, by a tap elsewhere, and when the focus leaves it.
(() => {
  "use strict";
  const menu = document.querySelector("details.menu");
  if (!menu) return;
  const away = (event) => {
    if (menu.open && event.target instanceof Node && !menu.contains(event.target)) menu.open = false;
  };
  document.addEventListener("pointerdown", away);
  document.addEventListener("focusin", away);
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
})();
