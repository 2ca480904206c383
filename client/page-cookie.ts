/** A cookie that scripts may read. A name with a prefix wins: no other host can plant it. */
export function pageCookie(name: string): string | undefined {
  try {
    const jar = `; ${document.cookie}`;
    for (const prefix of ["__Host-", "__Secure-", ""]) {
      const found = jar.split(`; ${prefix}${name}=`)[1];
      if (found) return found.split(";")[0];
    }
  } catch {} // no page, or one that may have no cookies
  return undefined;
}
