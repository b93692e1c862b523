//! A pipeline that watches a stream, played through over ratings of the past: what would it have decided, and what is that worth?
//!
//! ```text
//! stream ──cut──▶ periods/NAME.csv ─┐ for each period: measure the model that serves, place the file, run the pipeline with the
//! workspace ──start──▶ start/ ──▶ POLICY/ ┘ period's end as logical date, read what it decided, measure again, write the record
//! ```
//! A simulation never touches the user's datasets and models: they are linked into a workspace of its own, one for each policy, in which the real
//! engine runs the real pipeline. The clock of the stages stands at the end of the period (`engine` gives runs with the trigger
//! `simulation` such a clock), so versions of models bear simulated times, and a simulation that is repeated gives the same names; durations
//! are measured with the real clock.
//!
//! What is finished stands in files that appear whole (`journal`), so a simulation that was killed goes on where it was:
//! a period whose record is there is over; one whose run is in the store is resumed; else it begins.
//!
//! | module | what it is for |
//! |---|---|
//! | `period` | days, weeks, months, quarters, years |
//! | `setup` | what was asked for |
//! | `subject` | what a pipeline must have to be simulated, found by stage |
//! | `cut` | the stream, cut into periods |
//! | `place` | links and copies of files and folders |
//! | `start` | what the simulation begins with: datasets and the current model |
//! | `journal` | folder, lock and files of a simulation |
//! | `measure` | errors of models on ratings that they have not seen |
//! | `outcome` | what a run decided, from the store |
//! | `policy_line` | one policy through all periods |
//! | `record` | what is known of a period, and the sums over all |
//! | `simulate` | the whole: new or resumed |

mod cut;
mod journal;
mod measure;
mod outcome;
mod period;
mod place;
mod policy_line;
mod record;
mod setup;
mod simulate;
mod start;
mod subject;

pub use cut::Slice;
pub use journal::Journal;
pub use measure::{Errors, Group, Prequential, Shared, Tested};
pub use outcome::{Decision, Drift};
pub use period::{Every, Period};
pub use record::{PolicyResult, Record, SimulationResult, Totals};
pub use setup::{Ask, Policy, Setup};
pub use simulate::{Ended, Place, Stop, Watcher, find, pipeline, prepare, simulate};
pub use subject::Subject;
