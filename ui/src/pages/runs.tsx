// All runs, with filters in the address.

import { Heading } from "../parts/heading";
import { RunList } from "./runs/list";

export function RunsPage() {
  return (
    <>
      <Heading title="Runs" />
      <RunList pipeline={null} />
    </>
  );
}
