/* How hard a new password is to guess, beside its field while somebody types. Only a guide, made of length and variety: the
   server decides, and knows the commonest passwords (password_rules.py). The password goes nowhere.

   Markup (made by components/ui.html):
     <input type="password" id="new"> <p hidden data-strength-of="new"><meter></meter> <span data-0="Too short" … data-4>
   */

(() => {
  "use strict";

  const SHORTEST = 10;
  const ENOUGH = [50, 70, 90]; // bits, for fair, good and strong
  const POOLS = [[/[a-z]/, 26], [/[A-Z]/, 26], [/[0-9]/, 10], [/[!-/:-@[-`{-~ ]/, 33], [/[^\x20-\x7e]/, 100]];
  const IN_A_ROW = 0.2; // of a character: it is the one before, or follows it or precedes it, as in aaa, abc and 321

  function bits(signs) {
    const text = signs.join("");
    const pool = POOLS.reduce((sum, [pattern, size]) => sum + (pattern.test(text) ? size : 0), 0);
    const codes = signs.map((sign) => sign.codePointAt(0));
    const length = codes.reduce((sum, code, at) => sum + (at && Math.abs(code - codes[at - 1]) < 2 ? IN_A_ROW : 1), 0);
    return length * Math.log2(pool || 1);
  }

  function strength(password) {
    const signs = Array.from(password);
    return signs.length < SHORTEST ? 0 : 1 + ENOUGH.filter((least) => bits(signs) >= least).length;
  }

  function show(line) {
    const password = document.getElementById(line.dataset.strengthOf).value;
    const found = strength(password);
    line.hidden = !password;
    line.querySelector("meter").value = found;
    line.querySelector("span").textContent = password ? line.querySelector("span").dataset[found] : "";
  }

  document.addEventListener("input", (event) => {
    const line = event.target.id && document.querySelector(`[data-strength-of="${CSS.escape(event.target.id)}"]`);
    if (line) show(line);
  });
})();
