import type { Ratio } from "../measure.ts";
import { writeScaling } from "../replica/scaling.ts";
import type { Setting } from "../setting.ts";

export function writeDocs(setting: Setting, ratios: readonly Ratio[]): void {
  writeScaling(setting, ratios);
}
