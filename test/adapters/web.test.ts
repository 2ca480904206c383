import { describe } from "vitest";
import { features } from "../features/index.ts";
import { harnesses } from "../support/harness/index.ts";

describe("features: web", () => features(harnesses.web));
