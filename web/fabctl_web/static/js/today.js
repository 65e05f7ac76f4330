// The lists of today come anew every minute. What somebody is doing there goes first: forms that
// are open or half typed stay where they are, and the lists wait while one of them would go.
(() => {
  "use strict";
  const day = document.getElementById("lists");
  const old = document.getElementById("day-old");
  if (!day) return;

  const typed = (field) => {
    if (field.tagName === "SELECT") {
      const first = [...field.options].findIndex((one) => one.defaultSelected);
      return field.selectedIndex !== Math.max(first, 0);
    }
    if (field.type === "checkbox") return field.checked !== field.defaultChecked;
    return field.type !== "hidden" && field.value !== field.defaultValue;
  };
  const inUse = (part) => part.open || part.contains(document.activeElement)
    || [...part.querySelectorAll("input, select, textarea")].some(typed);

  const waits = (answer) => {
    const focused = document.activeElement;
    // Somebody goes through the page by keyboard: the focus would be lost with its button.
    if (day.contains(focused) && focused.matches(":focus-visible") && !focused.closest("[hx-preserve]")) return true;
    const coming = new DOMParser().parseFromString(answer, "text/html");
    return [...day.querySelectorAll("[hx-preserve]")].some((one) => inUse(one) && !coming.getElementById(one.id));
  };

  document.body.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target !== day || !event.detail.shouldSwap) return;
    event.detail.shouldSwap = !waits(event.detail.serverResponse);
  });
  document.body.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt === day) old.hidden = event.detail.successful;
  });
})();
