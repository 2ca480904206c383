import { conformanceSuite } from "./suite.ts";

conformanceSuite("node");
