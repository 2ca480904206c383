import { memoryStore } from "jwt-extended";
import { storeContract } from "jwt-extended/testing";
import { describe, test } from "vitest";

describe("the memory store keeps the contract", () => {
  for (const { name, run } of storeContract((clock) => memoryStore({ clock }))) test(name, run);
});
