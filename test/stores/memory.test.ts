import { memoryStore } from "jwt-extended";
import { storeContract } from "jwt-extended/testing";
import { describe, expect, test } from "vitest";

describe("the memory store keeps the contract", () => {
  for (const { name, run } of storeContract((clock) => memoryStore({ clock }))) test(name, run);
});

const untied = (iat: number) =>
  ({ jti: "one", sid: undefined, subject: "alice", issuer: undefined, kid: undefined, iat }) as const;

test.each([
  ["everything", { kind: "everything", until: Number.POSITIVE_INFINITY }],
  ["a subject", { kind: "subject", subject: "alice", until: Number.POSITIVE_INFINITY }],
] as const)("the end of %s in the moment of the making spares no token of that second", (_, revocation) => {
  const store = memoryStore({ clock: () => 1_700_000_000_400 });
  expect(store.isRevoked(untied(1_700_000_000))).toBe(false);
  store.revoke(revocation);
  expect(store.isRevoked(untied(1_700_000_000))).toBe(true);
  expect(store.isRevoked(untied(1_700_000_001))).toBe(false);
});
