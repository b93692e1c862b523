//! What goes wrong: a process dies between any two of its actions, a store cannot be written for a while.

use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use recflow_state::{Error, Moment, Result};

use crate::dice::Dice;

/// What unwinds a process that dies. Whoever drives processes catches it.
#[derive(Debug)]
pub(crate) struct Crash;

/// Why a store cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sickness {
    Full,
    Locked,
}

/// What will go wrong.
#[derive(Debug)]
pub(crate) struct Faults {
    /// So many moments from now the process that acts dies; negative: it lives.
    crash_in: AtomicI64,
    /// Whether a process acts, and not the one who watches.
    acting: AtomicBool,
    sick: Mutex<Option<(Sickness, Dice)>>,
}

impl Faults {
    pub(crate) fn new() -> Self {
        Self { crash_in: AtomicI64::new(-1), acting: AtomicBool::new(false), sick: Mutex::new(None) }
    }

    /// Has whoever acts next die after so many moments.
    pub(crate) fn arm(&self, moments: i64) {
        self.crash_in.store(moments, Ordering::Relaxed);
    }

    pub(crate) fn disarm(&self) {
        self.arm(-1);
    }

    /// A process begins to act, or has done so.
    pub(crate) fn set_acting(&self, acting: bool) {
        self.acting.store(acting, Ordering::Relaxed);
    }

    pub(crate) fn sicken(&self, with: Option<(Sickness, Dice)>) {
        *self.sick.lock().expect("nothing panics while it is held") = with;
    }

    pub(crate) fn is_sick(&self) -> bool {
        self.sick.lock().expect("nothing panics while it is held").is_some()
    }

    /// A point between two actions: a process may die here.
    pub(crate) fn moment(&self) {
        if !self.acting.load(Ordering::Relaxed) {
            return;
        }
        let left = self.crash_in.load(Ordering::Relaxed);
        if left == 0 {
            self.disarm();
            // Without the message of a panic: this one is wanted.
            resume_unwind(Box::new(Crash));
        }
        if left > 0 {
            self.arm(left - 1);
        }
    }

    /// What the store asks at each moment of a write.
    pub(crate) fn of_store(&self, moment: Moment) -> Result<()> {
        self.moment();
        let mut sick = self.sick.lock().expect("nothing panics while it is held");
        let Some((kind, dice)) = sick.as_mut() else { return Ok(()) };
        if moment == Moment::Committed || !dice.percent(60) {
            return Ok(());
        }
        let path = PathBuf::from(":memory:");
        Err(match kind {
            Sickness::Full => Error::Full { path },
            Sickness::Locked => Error::Busy { path },
        })
    }
}
