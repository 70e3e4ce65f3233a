//! A report on a launch, and the answer to it.

use crate::feedback::{LaunchError, Meaning};
use crate::model::{LaunchOutcome, Moment};
use crate::oracle::offers::CustomGpu;

/// The report on a launch.
#[derive(Clone, Copy, Debug)]
pub struct LaunchReport<'a> {
    /// The backend's name.
    pub backend: &'a str,
    /// The GPUs of one instance; the catalog's if absent.
    pub gpu: Option<CustomGpu<'a>>,
    /// The number of instances that were launched together.
    pub count: u32,
    /// The lease that was taken for it, if any.
    pub lease: Option<&'a str>,
    /// Its end.
    pub outcome: LaunchOutcome,
    /// The launch, and its error if it failed.
    pub error: LaunchError<'a>,
    /// The reporter, for the log.
    pub by: &'a str,
}

/// The lesson of a launch.
#[derive(Clone, Debug)]
pub struct Learnt {
    /// The meaning of its error, if it failed.
    pub meaning: Option<Meaning>,
    /// When the lesson ends by itself; nothing where nothing was learnt that does.
    pub until: Option<Moment>,
}
