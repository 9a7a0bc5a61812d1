import { Counter, Gauge, type Registry } from 'prom-client';

interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A gauge that is what it was last set to, and nothing of before. */
export function gauge(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly string[],
): (samples: readonly Sample[]) => void {
  const metric = new Gauge({ name, help, labelNames: [...labelNames], registers: [registry] });
  return (samples) => {
    metric.reset();
    for (const { labels, value } of samples) metric.set(labels, value);
  };
}

/** A counter that is counted elsewhere. */
export function counter(
  registry: Registry,
  name: string,
  help: string,
  labelName: string,
): (samples: readonly { readonly label: string; readonly value: number }[]) => void {
  const metric = new Counter({ name, help, labelNames: [labelName], registers: [registry] });
  return (samples) => {
    metric.reset();
    for (const { label, value } of samples) metric.inc({ [labelName]: label }, value);
  };
}
