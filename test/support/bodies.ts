/** What is sent instead of a body, and the code that must come back. */
export type BadBody = readonly [name: string, body: string | Uint8Array, code: string];

/** Bodies of a registration or a login that must be refused, around a name and a password that would do. */
export function badBodies(name: string, password: string): readonly BadBody[] {
  const good = `"username":"${name}","password":"${password}"`;
  return [
    ["nothing", "", "body_invalid"],
    ["null", "null", "body_invalid"],
    ["a list", "[]", "body_invalid"],
    ["text", '"x"', "body_invalid"],
    ["a number", "1e400", "body_invalid"],
    ["half an object", "{", "body_invalid"],
    ["an empty object", "{}", "field_invalid"],
    ["a byte order mark", `\ufeff{${good}}`, "body_invalid"],
    ["UTF-16", Buffer.from(`{${good}}`, "utf16le"), "body_invalid"],
    [
      "bytes that are no UTF-8",
      Buffer.from(`{"username":"${name}","password":"\xff\xfe\xff\xfe\xff"}`, "latin1"),
      "body_invalid",
    ],
    ["text behind it", `{${good}}{}`, "body_invalid"],
    ["a name twice", `{"username":"${name}2",${good}}`, "field_invalid"],
    ["a name twice, once escaped", `{"user\\u006eame":"${name}2",${good}}`, "field_invalid"],
    ["a name twice, once of another type", `{"password":{"$ne":null},${good}}`, "field_invalid"],
    ["an operator", '{"username":{"$ne":null},"password":{"$ne":null}}', "field_invalid"],
    ["numbers", '{"username":12345,"password":12345678}', "field_invalid"],
    ["a huge number", `{"username":"${name}","password":1e400}`, "field_invalid"],
    ["lists", `{"username":["${name}"],"password":["${password}"]}`, "field_invalid"],
    ["booleans", '{"username":true,"password":true}', "field_invalid"],
    ["nulls", '{"username":null,"password":null}', "field_invalid"],
    ["no password", `{"username":"${name}"}`, "field_invalid"],
    ["no username", `{"password":"${password}"}`, "field_invalid"],
    ["great depth", `${"[".repeat(30_000)}${"]".repeat(30_000)}`, "body_invalid"],
    ["great depth, open", '{"a":'.repeat(12_000), "body_invalid"],
    [
      "depth in a field",
      `{"username":${"[".repeat(20_000)}${"]".repeat(20_000)},"password":"${password}"}`,
      "field_invalid",
    ],
    ["a prototype", `{${good},"__proto__":{"roles":["admin"]}}`, "field_invalid"],
    ["a name from the prototype", `{"__proto__":{"username":"${name}"},"password":"${password}"}`, "field_invalid"],
    ["a constructor", `{${good},"constructor":{"prototype":{"isAdmin":true}}}`, "field_invalid"],
    ["a field called like a function", `{${good},"toString":"x"}`, "field_invalid"],
    ["a name twice, once empty", `{"password":0,${good}}`, "field_invalid"],
  ];
}

/** Fields that nobody may set by registering or logging in. */
export const FOREIGN_FIELDS = [
  "role",
  "roles",
  "isAdmin",
  "id",
  "sub",
  "emailVerified",
  "passwordHash",
  "password_hash",
  "createdAt",
  "fresh",
  "claims",
  "expiresIn",
] as const;
