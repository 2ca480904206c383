import { metrics } from "@opentelemetry/api";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { instrument, memoryStore } from "jwt-extended";
import { afterEach, expect, it } from "vitest";
import { askToken } from "../support/asking.ts";
import { managerOf } from "../support/serve.ts";

afterEach(() => metrics.disable());

it("reaches the exporter of OpenTelemetry through its global meter", async () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  metrics.setGlobalMeterProvider(provider);
  const memory = memoryStore();
  const isRevoked = async (query: Parameters<typeof memory.isRevoked>[0]) => memory.isRevoked(query);
  const manager = managerOf({ store: { ...memory, isRevoked } });
  const end = instrument(manager, metrics.getMeter("jwt-extended"));

  const exported = async () => {
    exporter.reset();
    await provider.forceFlush();
    return exporter
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics))
      .flatMap(({ descriptor, dataPoints }) =>
        dataPoints.map(({ attributes, value }) => ({
          name: descriptor.name,
          unit: descriptor.unit,
          attributes,
          value,
        })),
      );
  };

  const { access_token: token, refresh_token } = await manager.createTokenPair("ada");
  for (const each of [token, token, refresh_token, "nonsense"]) await askToken(manager, each);
  const points = await exported();
  const denied = points.filter(({ name }) => name === "jwt_extended.denied");
  expect(Object.fromEntries(denied.map(({ attributes, value }) => [attributes.code, value]))).toEqual({
    token_invalid: 1,
    wrong_token_type: 1,
  });
  const checks = points.find(
    ({ name, attributes }) => name === "jwt_extended.store.duration" && attributes.call === "isRevoked",
  );
  expect(checks).toMatchObject({ unit: "s", attributes: { ok: true }, value: { count: 2 } });
  expect(JSON.stringify(points)).not.toContain(token.slice(-20));

  end();
  await askToken(manager, "nonsense");
  const forged = (await exported()).find(({ attributes }) => attributes.code === "token_invalid");
  expect(forged?.value).toBe(1);
  await provider.shutdown();
});
