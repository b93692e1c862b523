// Models.

import { Heading } from "../parts/heading";

export function ModelsPage() {
  return <Heading title="Models" />;
}
