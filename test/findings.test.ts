import { describe } from "vitest";
import { reading } from "./findings/reading.ts";
import { requests } from "./findings/requests.ts";
import { unsafe } from "./findings/unsafe.ts";

/** Each line of the findings about Flask-JWT-Extended 4.7.4, by its number, as it is decided without `compat: "flask"`. */
describe("findings", () => {
  unsafe();
  requests();
  reading();
});
