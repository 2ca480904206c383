/** Where users, the audit trail and, without Redis, sessions are kept. */
export type DatabasePlace =
  | { readonly kind: "sqlite"; readonly file: string }
  | { readonly kind: "postgres"; readonly url: string }
  | { readonly kind: "mysql"; readonly url: string };

/** How a database is called where its address may not be told, as that can hold a password. */
export function databaseName(place: DatabasePlace): string {
  if (place.kind === "sqlite") return place.file;
  return place.kind === "postgres" ? "PostgreSQL" : "MySQL";
}
