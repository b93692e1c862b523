// Task.

import type { PageProps } from "../app";
import { Heading } from "../parts/heading";

export function TaskPage({ params }: PageProps) {
  return <Heading title={params["task"] ?? ""} />;
}
