/**
 * A `WWW-Authenticate` value (RFC 6750 §3): the scheme and its parameters as quoted strings. Characters that a quoted
 * string cannot hold (RFC 6750 §3 allows %x20-21, %x23-5B, %x5D-7E) are left out.
 */
export function challenge(scheme: string, parameters: Readonly<Record<string, string>>): string {
  const parts = Object.entries(parameters).map(
    ([name, value]) => `${name}="${value.replace(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, "")}"`,
  );
  return parts.length === 0 ? scheme : `${scheme} ${parts.join(", ")}`;
}
