// Who is signed in, for everything that depends on what they may do.

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Role, Session } from "./api/types";

export const SessionContext = createContext<Session | null>(null);

const RANK: Record<Role, number> = { viewer: 0, operator: 1, admin: 2 };

/** Whether the one who is signed in has at least this role. The server decides; this only hides what it would refuse. */
export function useMay(role: Role): boolean {
  const session = useContext(SessionContext);
  return session !== null && RANK[session.role] >= RANK[role];
}
