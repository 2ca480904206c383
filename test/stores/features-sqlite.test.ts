import { sqliteKit } from "../support/store-kits.ts";
import { storeFeatures } from "./features.ts";

storeFeatures(sqliteKit());
