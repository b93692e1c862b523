import { Heading } from "../../parts/heading";
export function ReportsPage() {
  return <Heading title="reports" />;
}
