/* Numbers in text fields: read as the server reads them (web/number_text.py has the rule), and what they mean beside
   them while somebody types. Only a preview: the server decides, and shows the same text after a refusal.

   Markup (made by components/ui.html):
     <input type="text" inputmode="decimal" data-number data-decimal="," data-pairs>       pairs: 12,34,567
     <div data-size> <input data-number> <select data-size-unit>…</select> <p data-preview data-one="{count} byte"
       data-many="{count} bytes" data-ambiguous="{text} can be read as {first} or as {second}"></p></div>
     <div data-price data-currency="EUR"> <input data-number> <p data-preview data-text="{gb} / GB-month ({tb} / TB)"
       data-ambiguous="…"></p></div>            without data-currency: that of the form's field `currency` */

(() => {
  "use strict";

  const locale = document.documentElement.dataset.locale || undefined;
  const PREFIXES = ["", "K", "M", "G", "T", "P", "E"];
  const MOST_BYTES = 2n ** 63n - 1n;
  const LONGEST = 60;

  const ZEROS = [0x30, 0x660, 0x6f0, 0x966, 0x9e6, 0xf20, 0x1040, 0xff10];
  const SINGLE = /^(?<whole>[0-9]*)(?:(?<mark>[.,\u066b])(?<fraction>[0-9]+))?$/;
  const IN_THREES = /^(?<whole>[0-9]{1,3}(?<group>[ '.,\u066c])[0-9]{3}(?:\k<group>[0-9]{3})*)(?:(?<mark>[.,\u066b])(?<fraction>[0-9]+))?$/;
  const IN_PAIRS = /^(?<whole>[0-9]{1,2}(?<group>[ '.,\u066c])(?:[0-9]{2}\k<group>)*[0-9]{3})(?:(?<mark>[.,\u066b])(?<fraction>[0-9]+))?$/;

  function latin(text) {
    return Array.from(text, (sign) => {
      if (/[\u00a0\u202f\u2009]/.test(sign)) return " ";
      if (/[\u2019\u02bc]/.test(sign)) return "'";
      const zero = ZEROS.find((first) => sign.codePointAt(0) >= first && sign.codePointAt(0) < first + 10);
      return zero === undefined ? sign : String(sign.codePointAt(0) - zero);
    }).join("");
  }

  // A number is its digits and how many of them are decimals; exact, unlike a double.
  function exact(whole, fraction = "") {
    const kept = fraction.replace(/0+$/, "");
    return { digits: BigInt(whole + kept), decimals: kept.length };
  }

  function grouped(plain, pairs) {
    const { groups } = IN_THREES.exec(plain) ?? (pairs && IN_PAIRS.exec(plain)) ?? {};
    if (!groups || groups.group === groups.mark || !Number(groups.whole.split(groups.group)[0])) return null;
    return exact(groups.whole.replaceAll(groups.group, ""), groups.fraction);
  }

  /* One reading, two, or none: { readings }, of which that of the reader's own separators comes first. */
  function read(text, { decimal = ".", pairs } = {}) {
    const plain = latin(text.trim().replace(/^[\u200e\u200f\u061c]+|[\u200e\u200f\u061c]+$/g, "").trim());
    if (!plain || plain.length > LONGEST) return [];
    const { groups } = SINGLE.exec(plain) ?? {};
    const found = [groups && exact(groups.whole || "0", groups.fraction), grouped(plain, pairs !== undefined)];
    if (!plain.includes(decimal)) found.reverse();
    return found.filter(Boolean);
  }

  function plainText({ digits, decimals }, decimal = ".", least = 0) {
    const text = String(digits).padStart(decimals + 1, "0");
    const whole = text.slice(0, text.length - decimals);
    return decimals ? `${whole}${decimal}${text.slice(-decimals).padEnd(least, "0")}` : whole;
  }

  // Three decimals could be a group: a fourth makes them clear.
  const written = (value, decimal) => plainText(value, decimal, value.decimals === 3 && value.digits >= 1000n && value.digits < 1000000n ? 4 : 0);

  function bytes({ digits, decimals }, unit) {
    const exponent = 3 * PREFIXES.indexOf(unit.slice(0, -1));
    const all = digits * 10n ** BigInt(exponent);
    const size = all / 10n ** BigInt(decimals);
    return all % 10n ** BigInt(decimals) || size > MOST_BYTES ? null : size;
  }

  const plain = new Intl.NumberFormat(locale, { maximumFractionDigits: 20, useGrouping: "always", numberingSystem: "latn" });
  const fill = (template, values) => template.replace(/\{(\w+)\}/g, (_, name) => values[name]);

  function sizeText(number, field, { one, many }) {
    const unit = field.querySelector("[data-size-unit]").value;
    const size = bytes(number, unit);
    if (size === null) return "";
    const count = plain.format(size);
    return `${plain.format(plainText(number))}\u202f${unit} = ${fill(size === 1n ? one : many, { count })}`;
  }

  function priceText(cents, field, { text }) {
    const currency = field.dataset.currency ?? field.closest("form").elements.currency.value.trim().toUpperCase();
    if (!/^[A-Z]{3}$/.test(currency)) return "";
    const money = new Intl.NumberFormat(locale, { style: "currency", currency, maximumFractionDigits: 20, useGrouping: "always", numberingSystem: "latn" });
    const of = (moved) => money.format(plainText({ digits: cents.digits * 10n ** BigInt(moved), decimals: cents.decimals + 2 }));
    return fill(text, { gb: of(0), tb: of(3) });
  }

  function previewText(field, output) {
    const input = field.querySelector("[data-number]");
    const [first, second] = read(input.value, input.dataset);
    if (!first) return "";
    if (second) {
      const [one, other] = [first, second].map((value) => written(value, input.dataset.decimal));
      return fill(output.dataset.ambiguous, { text: input.value.trim(), first: one, second: other });
    }
    return field.matches("[data-size]") ? sizeText(first, field, output.dataset) : priceText(first, field, output.dataset);
  }

  function showPreviews(form, { skipInvalid = false } = {}) {
    for (const output of form?.querySelectorAll("[data-preview]") ?? []) {
      if (skipInvalid && output.closest("[data-size], [data-price]").querySelector("[aria-invalid]")) continue;
      const text = previewText(output.closest("[data-size], [data-price]"), output);
      if (output.textContent !== text) output.textContent = text; // which is spoken whenever it is written
    }
  }

  for (const kind of ["input", "change"]) document.addEventListener(kind, (event) => showPreviews(event.target.form));
  // A browser may have put other texts into the fields than the server did. Of a refused one the error says enough.
  addEventListener("pageshow", () => {
    for (const form of document.forms) showPreviews(form, { skipInvalid: true });
  });

  // For the remainder (console.js): bytes of a size field as a double, NaN where there is no number.
  function sizeOf(field) {
    const input = field.querySelector("[data-number]");
    const readings = read(input.value, input.dataset);
    const size = readings.length === 1 ? bytes(readings[0], field.querySelector("[data-size-unit]").value) : null;
    return size === null ? NaN : Number(size);
  }

  globalThis.tonnageNumbers = Object.freeze({ read, written, plainText, sizeOf });
})();
