/** What user names may look like, or a function that gives the canonical form of one, `undefined` for what is none. */
export type NameRule = "ascii" | "email" | "unicode" | ((given: string) => string | undefined);

const ASCII = /^[a-z0-9._-]{3,32}$/;
// The local part is what HTML takes in a field for addresses; more exotic ones are the homes of look-alikes.
const EMAIL =
  /^[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+$/;
const MAX_EMAIL = 254;
const MAX_UNICODE = 32;

/** Scripts that one name is written in. Those with precomposed letters take no loose marks: they would be look-alikes. */
const SCRIPTS: readonly RegExp[] = [
  ...["Latin", "Greek", "Cyrillic", "Armenian", "Georgian"].map((script) => `\\p{sc=${script}}`),
  ...["Hebrew", "Arabic", "Syriac", "Thaana", "Devanagari", "Bengali", "Gurmukhi", "Gujarati", "Oriya", "Tamil"].map(
    marked,
  ),
  ...["Telugu", "Kannada", "Malayalam", "Sinhala", "Thai", "Lao", "Tibetan", "Myanmar", "Khmer", "Ethiopic"].map(
    marked,
  ),
  "\\p{sc=Han}\\p{sc=Hiragana}\\p{sc=Katakana}ー",
  "\\p{sc=Han}\\p{sc=Hangul}",
  "\\p{sc=Han}\\p{sc=Bopomofo}",
].map((letters) => new RegExp(`^(?:(?![\\p{Lm}\\p{Nd}\\p{DI}])[${letters}]|[ー0-9._-])+$`, "u"));

function marked(script: string): string {
  return `\\p{sc=${script}}\\p{sc=Inherited}`;
}

/**
 * The one form under which a name is stored and searched; `undefined` for what is no name. `"ascii"`: 3 to 32 of
 * `[a-z0-9._-]`; `"email"`: an ASCII address; `"unicode"`: 3 to 32 letters of one script. Letter case never counts.
 */
export function canonicalName(given: string, rule: NameRule = "ascii"): string | undefined {
  if (typeof rule === "function") return rule(given);
  // Nothing long is normalized: it could only become longer.
  if (given.length > 4 * MAX_EMAIL) return undefined;
  if (rule === "unicode") return unicodeName(given);
  // Outside of ASCII lower-casing would make one name of two: the Kelvin sign, for one, becomes a k.
  if (!/^[\x21-\x7e]+$/.test(given)) return undefined;
  const name = given.toLowerCase();
  if (rule === "email") return EMAIL.test(name) && name.length <= MAX_EMAIL ? name : undefined;
  return ASCII.test(name) ? name : undefined;
}

function unicodeName(given: string): string | undefined {
  // Through upper case, so that letters which only differ in one of the two cases (ı, ſ, ß) become the same.
  const fold = (text: string): string => text.normalize("NFKC").toUpperCase().toLowerCase().normalize("NFKC");
  const folded = fold(given);
  const { length } = [...folded];
  if (length < 3 || length > MAX_UNICODE || fold(folded) !== folded) return undefined;
  return SCRIPTS.some((script) => script.test(folded)) ? folded : undefined;
}
