import { conformanceSuite } from "./suite.ts";

conformanceSuite("express");
