import { conformanceSuite } from "./suite.ts";

conformanceSuite("web");
