//! Whether a daemon serves this workspace: it says so in the store, and its owner's lock says whether that still holds.

use std::time::Duration;

use recflow_state::{Result, Tx, UnixMs, View};
use serde::{Deserialize, Serialize};

use crate::engine::owner::{Liveness, liveness};
use crate::workspace::Workspace;

/// Under this name the store keeps who the daemon is.
const DAEMON: &str = "daemon";
/// Under this name it keeps what the clock did.
const JUMPS: &str = "clock_jumps";
/// Smaller steps are a time server at work.
const JUMP_MS_MIN: i64 = 2_000;
/// Jumps that are kept.
const JUMPS_MAX: usize = 20;

/// The daemon of a workspace, dead or alive, as it noted itself when it started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// As the owner of runs.
    pub owner: String,
    /// Its process.
    pub pid: u32,
    /// When it started, RFC 3339.
    pub started_at: String,
    /// Where it answers over HTTP, if it does.
    pub address: Option<String>,
}

impl Presence {
    /// The daemon that noted itself last; what is written in another form is nobody's.
    pub fn find(view: &View<'_>) -> Result<Option<Self>> {
        Ok(view.fact(DAEMON)?.and_then(|fact| serde_json::from_value(fact).ok()))
    }

    /// Notes this daemon as the one of the workspace.
    pub fn note(&self, tx: &Tx<'_>) -> Result<()> {
        tx.put_fact(DAEMON, &serde_json::to_value(self).unwrap_or_default())
    }

    /// Whether it lives.
    pub fn is_alive(&self, workspace: &Workspace) -> bool {
        matches!(liveness(&workspace.owners(), &self.owner), Liveness::Alive { .. })
    }
}

/// A step that the wall clock made and time did not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockJump {
    /// When it was seen, by the clock as it stood then.
    pub at: UnixMs,
    /// How far the clock went, in milliseconds; negative if it was set back. A machine that slept looks the same as a step forward.
    pub by_ms: i64,
}

impl ClockJump {
    /// Records the jump among the last ones.
    pub fn record(self, tx: &Tx<'_>) -> Result<()> {
        let mut jumps = Self::list(tx)?;
        jumps.push(self);
        let kept = &jumps[jumps.len().saturating_sub(JUMPS_MAX)..];
        tx.put_fact(JUMPS, &serde_json::to_value(kept).unwrap_or_default())
    }

    /// The last jumps, oldest first.
    pub fn list(view: &View<'_>) -> Result<Vec<Self>> {
        Ok(view.fact(JUMPS)?.and_then(|fact| serde_json::from_value(fact).ok()).unwrap_or_default())
    }
}

/// Sees jumps: compares how far the wall clock has come with how much time has passed.
#[derive(Debug, Default)]
pub struct ClockWatch {
    last: Option<(UnixMs, Duration)>,
}

impl ClockWatch {
    /// The jump since the last look, if there was one. `wall` is what the clock shows, `steady` a time that no setting of it changes.
    pub fn look(&mut self, wall: UnixMs, steady: Duration) -> Option<ClockJump> {
        let (wall_before, steady_before) = self.last.replace((wall, steady))?;
        let passed = i64::try_from(steady.saturating_sub(steady_before).as_millis()).unwrap_or(i64::MAX);
        let by_ms = wall.0.saturating_sub(wall_before.0).saturating_sub(passed);
        (by_ms.abs() >= JUMP_MS_MIN).then_some(ClockJump { at: wall, by_ms })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::owner::{Owner, Role};
    use recflow_state::Store;

    #[test]
    fn a_daemon_is_alive_while_it_holds_its_lock() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::new(folder.path(), None).unwrap();
        let store = Store::in_memory().unwrap();
        assert_eq!(store.read(Presence::find).unwrap(), None);
        let owner = Owner::register(&workspace.owners(), Role::Daemon, 7).unwrap();
        let daemon = Presence { owner: owner.id().to_owned(), pid: 1, started_at: "2026-01-01T00:00:00Z".to_owned(), address: None };
        store.write(|tx| daemon.note(tx)).unwrap();
        let found = store.read(Presence::find).unwrap().unwrap();
        assert_eq!((found.pid, found.address.as_deref()), (1, None));
        assert!(found.is_alive(&workspace));
        drop(owner);
        assert!(!found.is_alive(&workspace));
    }

    #[test]
    fn the_last_jumps_of_the_clock_are_kept() {
        let store = Store::in_memory().unwrap();
        for by_ms in 0..30 {
            store.write(|tx| ClockJump { at: UnixMs(0), by_ms }.record(tx)).unwrap();
        }
        let jumps = store.read(ClockJump::list).unwrap();
        assert_eq!((jumps.len(), jumps[0].by_ms, jumps[19].by_ms), (20, 10, 29));
    }

    #[test]
    fn a_clock_that_is_set_is_seen_and_one_that_drifts_is_not() {
        let mut watch = ClockWatch::default();
        let mut look = |wall: i64, steady: u64| watch.look(UnixMs(wall), Duration::from_millis(steady)).map(|jump| jump.by_ms);
        assert_eq!(look(1_000_000, 50), None, "the first look");
        assert_eq!(look(1_010_100, 10_050), None, "100 ms in 10 s");
        assert_eq!(look(4_610_600, 10_550), Some(3_600_000));
        assert_eq!(look(1_010_600, 10_550), Some(-3_600_000));
        assert_eq!(look(1_020_600, 20_550), None);
    }
}
