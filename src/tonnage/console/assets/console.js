/* What JavaScript adds to every page. Each page works without it, so a browser that cannot run this loses comfort only.

   Clicks and input are listened for on the document: content that htmx swaps in needs no second start.

   Markup (most of it is made by components/ui.html):
     <form method="post" action="/theme"><button name="theme" value="dark" data-theme-choice="dark" aria-pressed="false">
     <code id="key">…</code> <button type="button" data-copy="key" data-copied="Copied">Copy</button>
     <p id="live" aria-live="polite" class="sr-only"></p>                     once, in the layout
     <details class="menu"><summary>…</summary>…</details>
     <div data-remainder data-remaining="47000000000000"> <input data-number> <select data-size-unit>…</select>
       <output data-beyond="{size} too much">47 TB</output></div>
     <option data-remaining="…">        in the same form: goes before the number of the field
     <a href="…" data-follows-list>     after a list was filtered in place, its address carries the same query;
     <a href="…" data-follows-list="filter">                                  but for these names, which it decides itself */

(() => {
  "use strict";

  const root = document.documentElement;
  const locale = root.dataset.locale || root.lang || undefined;

  // Decimal prefixes, two decimals, cut and never rounded up, a narrow space: as the server writes sizes.
  const PREFIXES = ["", "K", "M", "G", "T", "P", "E"];
  const factor = (unit) => 1000 ** PREFIXES.indexOf(unit.replace(/B$/i, "").toUpperCase());
  const plain = new Intl.NumberFormat(locale, { maximumFractionDigits: 2, roundingMode: "trunc", numberingSystem: "latn" });

  function unitFor(bytes) {
    const step = PREFIXES.findLastIndex((prefix) => Math.abs(bytes) >= factor(prefix));
    return `${PREFIXES[Math.max(step, 0)]}B`;
  }

  function size(bytes, unit = unitFor(bytes)) {
    return `${plain.format(bytes / factor(unit))}\u202f${unit}`;
  }

  // For chart.js, which comes after this on pages with charts.
  globalThis.tonnage = Object.freeze({ locale, size, unitFor });

  /* Theme. Following the system needs no JavaScript: the stylesheet asks it unless data-theme says light or dark. */

  function chooseTheme(button, event) {
    event.preventDefault();
    const choice = button.dataset.themeChoice;
    if (choice === "system") delete root.dataset.theme;
    else root.dataset.theme = choice;
    for (const other of document.querySelectorAll("[data-theme-choice]")) {
      if (other.hasAttribute("aria-pressed")) other.setAttribute("aria-pressed", other.dataset.themeChoice === choice);
    }
    const form = button.form;
    if (!form) return;
    // The cookie comes with the redirect, which leads to a page that is here already.
    fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form, button)), redirect: "manual" })
      .catch(() => {}); // the page has its theme; only the next one will not
  }

  /* Copying. The label changes for the eye, the live region speaks. */

  async function copy(button) {
    const source = document.getElementById(button.dataset.copy);
    const text = "value" in source ? source.value : source.textContent.trim();
    if ("select" in source) source.select();
    else getSelection().selectAllChildren(source);
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Browsers give pages without TLS no clipboard. The old way copies what is selected; if even that is forbidden,
      // it is at least selected.
      if (!document.execCommand("copy")) return;
    }
    const { copied, label = button.textContent } = button.dataset;
    button.dataset.label = label; // pressed again while it says "Copied"
    button.textContent = copied;
    announce(copied);
    setTimeout(() => { button.textContent = label; }, 2000);
  }

  function announce(text) {
    const region = document.getElementById("live");
    region.textContent = "";
    // A text that stays the same is not spoken again.
    requestAnimationFrame(() => { region.textContent = text; });
  }

  /* The live remainder. Only a preview, so doubles will do; the server decides, to the byte. */

  function showRemainder(field) {
    const output = field.querySelector("output");
    const typed = tonnageNumbers.sizeOf(field);
    const chosen = field.closest("form").querySelector("option[data-remaining]:checked") ?? field;
    const left = Number(chosen.dataset.remaining) - (typed || 0); // NaN: no number yet
    const text = left < 0 ? output.dataset.beyond.replace("{size}", size(-left)) : size(left);
    output.classList.toggle("beyond", left < 0);
    if (output.textContent !== text) output.textContent = text; // which is spoken whenever it is written
  }

  function showRemainders(content) {
    for (const field of content?.querySelectorAll("[data-remainder]") ?? []) showRemainder(field);
  }

  /* Listening. */

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-theme-choice], [data-copy]");
    if (button?.dataset.themeChoice) chooseTheme(button, event);
    else if (button) copy(button);
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      menu.open = false;
      if (menu.contains(document.activeElement)) menu.querySelector("summary").focus();
    }
  });

  for (const kind of ["input", "change"]) document.addEventListener(kind, (event) => showRemainders(event.target.form));

  // A second press within two seconds is a double click, not a second partner. Not a lock for good: what has failed may
  // be sent again, and so may a form that the Back button brings back. In the capturing phase, before htmx hears of it.
  const sent = new WeakMap();
  document.addEventListener("submit", (event) => {
    if (event.target.method !== "post") return;
    if (event.timeStamp - (sent.get(event.target) ?? -Infinity) < 2000) {
      event.preventDefault();
      event.stopPropagation();
    } else sent.set(event.target, event.timeStamp);
  }, true);

  // The rest of the page follows a list that was filtered in place.
  document.addEventListener("htmx:pushedIntoHistory", () => {
    for (const link of document.querySelectorAll("a[data-follows-list]")) {
      const query = new URLSearchParams(location.search);
      for (const page of ["after", "before", "page"]) query.delete(page);
      const before = new URLSearchParams(link.search);
      for (const name of link.dataset.followsList.split(" ").filter(Boolean)) {
        if (before.has(name)) query.set(name, before.get(name));
        else query.delete(name);
      }
      link.search = query;
    }
  });

  // A filter that cannot be answered in place is answered as a page, which says why: ours, or the browser's own.
  for (const failure of ["htmx:responseError", "htmx:sendError"]) {
    document.addEventListener(failure, ({ detail }) => {
      if (detail.requestConfig.verb === "get") location.assign(detail.pathInfo.finalRequestPath);
    });
  }

  showRemainders(document);
  document.addEventListener("htmx:load", (event) => showRemainders(event.detail.elt));
})();
