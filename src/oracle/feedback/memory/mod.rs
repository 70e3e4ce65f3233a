//! The failed launches of a fetch unit that still count, and what they have taught.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use parking_lot::Mutex;

use crate::model::{
    Amount, AskedLaunch, Container, Launches, LearnedNumbers, Limit, Market, Moment, QuotaKey,
    Reading, Region, Unavailability,
};

/// The failed launches of a fetch unit that still count.
#[derive(Debug, Default)]
pub(in crate::oracle) struct LaunchMemory(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    records: HashMap<Subject, Record>,
    /// The lessons of each region, as last put together.
    regions: HashMap<Region, Arc<Lessons>>,
    /// When each quota was last read because a launch had met it.
    read_at: HashMap<QuotaKey, Moment>,
    last_id: u64,
}

/// The lessons about a region at one moment.
#[derive(Debug, Default)]
pub(in crate::oracle) struct Lessons {
    /// Different for every change; 0 where there is nothing.
    pub(in crate::oracle) id: u64,
    /// The launches that are passed over.
    pub(in crate::oracle) unavailable: Vec<Unavailability>,
    /// The numbers that launches have stated.
    pub(in crate::oracle) numbers: Vec<LearnedNumbers>,
    /// When the first of it ends.
    pub(in crate::oracle) next_change: Option<Moment>,
}

/// The subject of a failure: its repetition is the same failure again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Subject {
    /// The region; all if absent.
    pub(super) region: Option<Region>,
    /// The zone, where it is known, so that each zone's failure counts once.
    pub(super) zone: Option<Arc<str>>,
    pub(super) market: Option<Market>,
    pub(super) what: What,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum What {
    /// A type.
    Type(Arc<str>),
    /// A quota.
    Quota(QuotaKey),
}

/// A failure to be remembered.
#[derive(Clone, Debug)]
pub(super) struct Lesson {
    /// The time it holds when it happens first.
    pub(super) hold: Duration,
    /// The launches that are passed over, if any are.
    pub(super) launches: Option<Launches>,
    /// The numbers that it stated, if any.
    pub(super) numbers: Option<LearnedNumbers>,
    pub(super) reason: Arc<str>,
}

/// The way a failure was remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Remembered {
    pub(super) until: Moment,
    /// The number of times it has happened in a row.
    pub(super) times: u32,
}

#[derive(Debug)]
struct Record {
    lesson: Lesson,
    times: u32,
    since: Moment,
    until: Moment,
    /// A repetition before this moment holds longer.
    repeated_until: Moment,
    /// The rows of the quota when it failed, or as the first read after that had them.
    rows: Option<Rows>,
}

/// The rows of one quota, as far as a change of them ends what was learnt.
type Rows = Vec<Row>;

type Row = (Option<Container>, Limit, Option<Amount>);

/// So many failures of one unit are remembered, which is several times the types of a region. The
/// names come from callers, so there has to be a bound.
const MOST: usize = 1024;

/// Each repetition holds twice as long, up to eight times.
const MOST_DOUBLINGS: u32 = 3;

impl LaunchMemory {
    /// Remembers a failure; `known` is what the cloud has said of the unit so far.
    pub(super) fn note(
        &self,
        subject: Subject,
        lesson: Lesson,
        known: Option<&Reading>,
        now: Moment,
    ) -> Remembered {
        let mut state = self.0.lock();
        let before = state.records.get(&subject);
        let before = before.filter(|record| now.is_before(record.repeated_until));
        let times = before.map_or(0, |record| record.times).saturating_add(1);
        let hold = lesson.hold * 2u32.pow((times - 1).min(MOST_DOUBLINGS));
        let until = now.plus(hold);
        let rows = match &subject.what {
            What::Quota(quota) => {
                let known = known.and_then(|known| rows(known, subject.region.as_ref(), quota));
                before.and_then(|record| record.rows.clone()).or(known)
            }
            What::Type(_) => None,
        };
        let record = Record {
            lesson,
            times,
            since: now,
            until,
            repeated_until: until.plus(hold),
            rows,
        };
        if !state.records.contains_key(&subject) {
            state.make_room(now);
        }
        state.changed(subject.region.as_ref());
        state.records.insert(subject, record);
        Remembered { until, times }
    }

    /// Forgets what a launch that succeeded has disproved; tells whether that was anything.
    pub(super) fn succeeded(&self, region: &Region, launch: AskedLaunch<'_>) -> bool {
        let mut state = self.0.lock();
        let is_disproved = |subject: &Subject, record: &Record| {
            let is_here = subject.region.as_ref().is_none_or(|known| known == region);
            is_here && record.is_disproved_by(subject, launch)
        };
        state.forget(is_disproved)
    }

    /// Forgets what a read, begun at `started`, has overtaken: the rows that are known since differ
    /// from those at the time of the failure. Tells whether that was anything.
    pub(in crate::oracle) fn compare(&self, known: &Reading, started: Moment) -> bool {
        let mut state = self.0.lock();
        if state.records.is_empty() {
            return false;
        }
        for (subject, record) in &mut state.records {
            let What::Quota(quota) = &subject.what else {
                continue;
            };
            // A read that had begun before may bring what was the case before.
            if (record.rows.is_none() || !record.since.is_before(started))
                && let Some(rows) = rows(known, subject.region.as_ref(), quota)
            {
                record.rows = Some(rows);
            }
        }
        state.forget(|subject, record| match (&subject.what, &record.rows) {
            (What::Quota(quota), Some(before)) => {
                let now = rows(known, subject.region.as_ref(), quota);
                now.is_some_and(|now| has_changed(before, &now))
            }
            _ => false,
        })
    }

    /// Whether a quota may be read again because a launch has met it; if so, it counts as read.
    pub(super) fn may_read(&self, quota: &QuotaKey, again_after: Duration, now: Moment) -> bool {
        let mut state = self.0.lock();
        let last = state.read_at.get(quota);
        let may = last.is_none_or(|last| last.age(now) >= again_after);
        if may {
            state.read_at.retain(|_, last| last.age(now) < again_after);
            state.read_at.insert(quota.clone(), now);
        }
        may
    }

    /// Forgets everything.
    pub(super) fn clear(&self) {
        self.0.lock().forget(|_, _| true);
    }

    /// Returns what is to be told of a region now.
    pub(in crate::oracle) fn lessons(&self, region: &Region, now: Moment) -> Arc<Lessons> {
        let mut state = self.0.lock();
        if state.records.is_empty() {
            static NOTHING: LazyLock<Arc<Lessons>> = LazyLock::new(Arc::default);
            return Arc::clone(&NOTHING);
        }
        if let Some(lessons) = state.regions.get(region) {
            let ends = lessons.next_change;
            if ends.is_none_or(|ends| now.is_before(ends)) {
                return Arc::clone(lessons);
            }
        }
        let lessons = Arc::new(state.put_together(region, now));
        // Before a unit has found its regions, callers make up their names.
        if state.regions.len() >= MOST {
            state.regions.clear();
        }
        state.regions.insert(region.clone(), Arc::clone(&lessons));
        lessons
    }
}

impl State {
    fn put_together(&mut self, region: &Region, now: Moment) -> Lessons {
        let in_force = self.records.iter().filter(|(subject, record)| {
            let is_here = subject.region.as_ref().is_none_or(|known| known == region);
            is_here && now.is_before(record.until)
        });
        let mut in_force: Vec<_> = in_force.collect();
        if in_force.is_empty() {
            return Lessons::default();
        }
        // The one that lasts longest explains best why an offer is passed over.
        in_force.sort_by_key(|(_, record)| std::cmp::Reverse(record.until.since_start));
        let ends = in_force.last().map(|(_, record)| record.until);
        let unavailable = in_force.iter().filter_map(|(subject, record)| {
            Some(Unavailability {
                launches: record.lesson.launches.clone()?,
                market: subject.market,
                since: record.since,
                until: record.until,
                reason: Arc::clone(&record.lesson.reason),
            })
        });
        let numbers = in_force.iter();
        let lessons = Lessons {
            id: self.last_id + 1,
            unavailable: unavailable.collect(),
            numbers: numbers
                .filter_map(|(_, record)| record.lesson.numbers.clone())
                .collect(),
            next_change: ends,
        };
        self.last_id += 1;
        lessons
    }

    fn forget(&mut self, is_over: impl Fn(&Subject, &Record) -> bool) -> bool {
        let mut over = Vec::new();
        self.records.retain(|subject, record| {
            let is_over = is_over(subject, record);
            if is_over {
                over.push(subject.region.clone());
            }
            !is_over
        });
        for region in &over {
            self.changed(region.as_ref());
        }
        !over.is_empty()
    }

    /// Notes that the lessons of a region, or of all, are others now.
    fn changed(&mut self, region: Option<&Region>) {
        match region {
            Some(region) => {
                self.regions.remove(region);
            }
            None => self.regions.clear(),
        }
    }

    /// Forgets what has ended, or else what ends first, so that one more can be remembered.
    fn make_room(&mut self, now: Moment) {
        if self.records.len() < MOST {
            return;
        }
        self.forget(|_, record| !now.is_before(record.repeated_until));
        if self.records.len() < MOST {
            return;
        }
        let mut ends: Vec<_> = self
            .records
            .values()
            .map(|record| record.until.since_start)
            .collect();
        // An eighth at once, so that a flood of new names costs little for each.
        ends.sort_unstable();
        let last = ends[MOST / 8];
        self.forget(|_, record| record.until.since_start <= last);
    }
}

impl Record {
    fn is_disproved_by(&self, subject: &Subject, launch: AskedLaunch<'_>) -> bool {
        if subject.market.is_some_and(|only| only != launch.market) {
            return false;
        }
        match (&subject.what, &self.lesson.launches) {
            (What::Type(name), _) => name.eq_ignore_ascii_case(launch.instance_type),
            // A smaller one may have fit where the larger one did not.
            (What::Quota(quota), Some(Launches::Drawing { from, .. })) => {
                let draw = launch.demand.draws.iter().find(|draw| draw.quota == *quota);
                draw.is_some_and(|draw| {
                    let amount = draw.amount.map(|each| each * launch.count.max(1));
                    amount.is_some_and(|amount| amount >= *from)
                })
            }
            (What::Quota(quota), _) => launch.demand.draws.iter().any(|draw| draw.quota == *quota),
        }
    }
}

/// Returns the rows of a quota in a region, or in the first that has any.
fn rows(reading: &Reading, region: Option<&Region>, quota: &QuotaKey) -> Option<Rows> {
    let regions = reading.regions.iter();
    let mut regions = regions.filter(|(name, _)| region.is_none_or(|region| region == *name));
    regions.find_map(|(_, snapshot)| {
        let rows = snapshot.quotas().iter().filter(|row| row.key == *quota);
        let rows = rows.map(|row| (row.container.clone(), row.limit, row.usage.known()));
        Some(rows.collect::<Rows>()).filter(|rows| !rows.is_empty())
    })
}

/// Whether rows differ in a limit or a usage; a usage that is not known any more is no change.
fn has_changed(before: &Rows, now: &Rows) -> bool {
    let is_same = |(before, now): (&Row, &Row)| {
        let usage_is_same = now.2.is_none() || before.2 == now.2;
        before.0 == now.0 && before.1 == now.1 && usage_is_same
    };
    before.len() != now.len() || !before.iter().zip(now).all(is_same)
}

#[cfg(test)]
mod tests;
