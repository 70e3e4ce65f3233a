//! Values made of secret files, and made again when the files may have changed.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::SecretError;

/// How often secret files are read again: whoever rotates a secret waits about as long before the
/// old one is withdrawn.
pub const READ_EVERY: Duration = Duration::from_secs(60);

/// How often a refusal may lead to the files: strangers with wrong tokens must not turn into disk
/// reads.
const READ_AFTER_REFUSAL_EVERY: Duration = Duration::from_secs(1);

/// Counts the operator's requests to read all secrets again.
static RELOADS: AtomicU64 = AtomicU64::new(0);

/// Makes all secrets of the process be read again when they are next used, as SIGHUP asks for.
pub fn reload() {
    RELOADS.fetch_add(1, Ordering::Relaxed);
}

/// Returns how often [`reload`] was called.
pub fn generation() -> u64 {
    RELOADS.load(Ordering::Relaxed)
}

type Load<T> = Box<dyn Fn() -> Result<T, SecretError> + Send + Sync>;

/// A value that is made of secret files: read again every minute, after a refusal and on
/// [`reload`]. Clones share it.
///
/// Files that are gone, empty or damaged while running leave the last good value in force, with a
/// warning: half-written files and unmounted volumes take nobody's access away.
pub struct Renewed<T>(Arc<Inner<T>>);

struct Inner<T> {
    current: ArcSwap<Version<T>>,
    /// Nothing for a value that never changes.
    load: Option<Load<T>>,
    reloads: &'static AtomicU64,
    reading: Mutex<Reading>,
}

struct Version<T> {
    value: Arc<T>,
    /// How many values there were before.
    number: u64,
    read_again_at: Instant,
    generation: u64,
}

struct Reading {
    last: Instant,
    failing: bool,
}

impl<T: PartialEq> Renewed<T> {
    /// Reads the value for the first time; `load` is called again whenever the files behind it may
    /// have changed.
    pub fn read(
        load: impl Fn() -> Result<T, SecretError> + Send + Sync + 'static,
    ) -> Result<Self, SecretError> {
        Self::read_by(&RELOADS, load)
    }

    fn read_by(
        reloads: &'static AtomicU64,
        load: impl Fn() -> Result<T, SecretError> + Send + Sync + 'static,
    ) -> Result<Self, SecretError> {
        let value = load()?;
        Ok(Self::with(value, Some(Box::new(load)), reloads))
    }

    /// A value that never changes, such as one of the environment.
    pub fn fixed(value: T) -> Self {
        Self::with(value, None, &RELOADS)
    }

    fn with(value: T, load: Option<Load<T>>, reloads: &'static AtomicU64) -> Self {
        let now = Instant::now();
        Self(Arc::new(Inner {
            current: ArcSwap::from_pointee(Version {
                value: Arc::new(value),
                number: 0,
                read_again_at: now + READ_EVERY,
                generation: reloads.load(Ordering::Relaxed),
            }),
            load,
            reloads,
            reading: Mutex::new(Reading {
                last: now,
                failing: false,
            }),
        }))
    }

    /// Returns the value, read again if that is due.
    pub fn get(&self) -> Arc<T> {
        let Some(load) = &self.0.load else {
            return Arc::clone(&self.0.current.load().value);
        };
        let is_due = |version: &Version<T>| {
            version.generation != self.0.reloads.load(Ordering::Relaxed)
                || Instant::now() >= version.read_again_at
        };
        if is_due(&self.0.current.load()) {
            let mut reading = self.0.reading.lock();
            // Another caller may have read it in the meantime.
            if is_due(&self.0.current.load()) {
                self.read_again(load, &mut reading);
            }
        }
        Arc::clone(&self.0.current.load().value)
    }

    /// Returns the value after somebody has refused it or was refused by it: the files are read
    /// again, at most once a second.
    pub fn after_refusal(&self) -> Arc<T> {
        if let Some(load) = &self.0.load {
            let mut reading = self.0.reading.lock();
            if reading.last.elapsed() >= READ_AFTER_REFUSAL_EVERY {
                self.read_again(load, &mut reading);
            }
        }
        self.get()
    }

    /// Returns the value as its files hold it now, for callers that seldom ask: a cloud has refused
    /// it, or is about to be sent it for long.
    pub fn read_now(&self) -> Arc<T> {
        if let Some(load) = &self.0.load {
            self.read_again(load, &mut self.0.reading.lock());
        }
        self.get()
    }

    /// Returns a number that changes with the value.
    pub fn version(&self) -> u64 {
        self.0.current.load().number
    }

    fn read_again(&self, load: &Load<T>, reading: &mut Reading) {
        // Taken first: a request that comes while the files are read is not lost.
        let generation = self.0.reloads.load(Ordering::Relaxed);
        let now = Instant::now();
        let last = self.0.current.load_full();
        let read = load();
        reading.last = now;
        let (value, number) = match read {
            Ok(value) => {
                if reading.failing {
                    tracing::info!("the secret can be read again");
                }
                reading.failing = false;
                match value == *last.value {
                    true => (Arc::clone(&last.value), last.number),
                    false => (Arc::new(value), last.number + 1),
                }
            }
            Err(error) => {
                // Said once, not every minute.
                if !reading.failing {
                    tracing::warn!("the last good secret stays in force: {error}");
                }
                reading.failing = true;
                (Arc::clone(&last.value), last.number)
            }
        };
        self.0.current.store(Arc::new(Version {
            value,
            number,
            read_again_at: now + READ_EVERY,
            generation,
        }));
    }
}

impl<T> Clone for Renewed<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

// Nothing of the value is shown: it may be a secret or a hash that can be guessed back.
impl<T> fmt::Debug for Renewed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Renewed").finish_non_exhaustive()
    }
}

impl<T: PartialEq> PartialEq for Renewed<T> {
    fn eq(&self, other: &Self) -> bool {
        *self.0.current.load().value == *other.0.current.load().value
    }
}

impl<T: Eq> Eq for Renewed<T> {}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use tokio::time::advance;

    use super::*;
    use crate::secret::{ExposeSecret, read_word};

    struct Story {
        folder: tempfile::TempDir,
        secret: Renewed<String>,
        reloads: &'static AtomicU64,
    }

    impl Story {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("secret");
            std::fs::write(&file, "first\n").unwrap();
            let read = move || Ok(read_word(&file)?.expose_secret().to_owned());
            // Its own, so that no other test asks for a reload.
            let reloads = Box::leak(Box::default());
            Self {
                folder,
                secret: Renewed::read_by(reloads, read).unwrap(),
                reloads,
            }
        }

        fn file(&self) -> PathBuf {
            self.folder.path().join("secret")
        }

        fn write(&self, content: &str) {
            std::fs::write(self.file(), content).unwrap();
        }

        fn get(&self) -> String {
            self.secret.get().to_string()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_secret_is_read_again_after_a_minute() {
        let story = Story::new();
        story.write("second");
        advance(READ_EVERY - Duration::from_millis(1)).await;
        assert_eq!(story.get(), "first");
        advance(Duration::from_millis(1)).await;
        assert_eq!(story.get(), "second");
        assert_eq!(story.secret.version(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_secret_is_read_again_after_a_refusal_but_once_a_second() {
        let story = Story::new();
        let after_refusal = || story.secret.after_refusal().to_string();
        advance(Duration::from_secs(1)).await;
        assert_eq!(after_refusal(), "first");
        story.write("second");
        assert_eq!(after_refusal(), "first");
        advance(Duration::from_secs(1)).await;
        assert_eq!(after_refusal(), "second");
    }

    #[tokio::test(start_paused = true)]
    async fn a_secret_is_read_again_when_the_operator_asks() {
        let story = Story::new();
        story.write("second");
        story.reloads.fetch_add(1, Ordering::Relaxed);
        assert_eq!(story.get(), "second");
    }

    #[tokio::test(start_paused = true)]
    async fn a_secret_that_is_gone_or_empty_stays_in_force() {
        let story = Story::new();
        for content in ["", "\n", "two words"] {
            story.write(content);
            advance(READ_EVERY).await;
            assert_eq!(story.get(), "first", "{content:?}");
        }
        std::fs::remove_file(story.file()).unwrap();
        advance(READ_EVERY).await;
        assert_eq!(story.get(), "first");
        assert_eq!(story.secret.version(), 0);
        story.write("second");
        advance(READ_EVERY).await;
        assert_eq!(story.get(), "second");
    }

    #[tokio::test(start_paused = true)]
    async fn a_link_that_leads_elsewhere_is_followed() {
        let story = Story::new();
        let target = |name: &str| story.folder.path().join(name).join("secret");
        for name in ["old", "new"] {
            std::fs::create_dir(story.folder.path().join(name)).unwrap();
            std::fs::write(target(name), name).unwrap();
        }
        let link = |name: &str| {
            let swapped = story.folder.path().join("swapped");
            std::os::unix::fs::symlink(target(name), &swapped).unwrap();
            std::fs::rename(swapped, story.file()).unwrap();
        };
        for name in ["old", "new"] {
            link(name);
            advance(READ_EVERY).await;
            assert_eq!(story.get(), name);
        }
    }
}
