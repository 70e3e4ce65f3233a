//! Lines on their way to standard error, written by a thread of their own.
//!
//! A disk may be full, a pipe may have lost its reader, or have one that reads nothing. Whoever
//! logs never waits for it and never learns of it: lines beyond the bound are dropped and counted,
//! and the log says how many once it can be written again.

use std::io::{self, Write};
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

/// The most bytes that wait to be written: some thousand lines.
const MOST_WAITING: usize = 1024 * 1024;

/// A bounded queue of lines. As many bytes again may be under way to the sink.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    /// Something waits, or is to be said.
    filled: Condvar,
    /// Everything has been tried.
    tried: Condvar,
    lost: AtomicU64,
}

#[derive(Debug)]
struct Waiting {
    bytes: Vec<u8>,
    lines: u64,
    /// Lines lost since the log last said so.
    untold: u64,
    /// Whether some bytes have left the queue and are not written yet.
    is_writing: bool,
    /// Whether the last write succeeded.
    is_writable: bool,
}

impl Queue {
    pub(super) const fn new() -> Self {
        Self {
            waiting: Mutex::new(Waiting {
                bytes: Vec::new(),
                lines: 0,
                untold: 0,
                is_writing: false,
                is_writable: true,
            }),
            filled: Condvar::new(),
            tried: Condvar::new(),
            lost: AtomicU64::new(0),
        }
    }

    /// Adds a line, or counts it as lost.
    pub(super) fn push(&self, line: &[u8]) {
        let mut waiting = self.waiting.lock();
        if waiting.bytes.len() + line.len() > MOST_WAITING {
            waiting.untold += 1;
            self.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        waiting.bytes.extend_from_slice(line);
        waiting.lines += 1;
        drop(waiting);
        self.filled.notify_one();
    }

    /// The number of lines that were never written.
    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Waits until every line has been tried, for this long at most.
    pub(super) fn flush(&self, patience: Duration) {
        let until = Instant::now() + patience;
        let mut waiting = self.waiting.lock();
        while waiting.is_writing || !waiting.bytes.is_empty() {
            if self.tried.wait_until(&mut waiting, until).timed_out() {
                return;
            }
        }
    }

    /// Writes lines in a thread of its own; `tell` logs how many were lost.
    pub(super) fn write_to(
        &'static self,
        sink: impl Write + Send + 'static,
        tell: fn(u64),
    ) -> io::Result<()> {
        let name = "log".to_owned();
        let writing = thread::Builder::new().name(name);
        writing.spawn(move || {
            let mut sink = Sink {
                sink,
                is_torn: false,
            };
            loop {
                self.write_once(&mut sink, tell);
            }
        })?;
        Ok(())
    }

    /// Waits for lines, and tries to write them.
    fn write_once(&self, sink: &mut Sink<impl Write>, tell: impl Fn(u64)) {
        let mut waiting = self.waiting.lock();
        while waiting.bytes.is_empty() && !waiting.has_news() {
            self.filled.wait(&mut waiting);
        }
        let bytes = mem::take(&mut waiting.bytes);
        let lines = mem::take(&mut waiting.lines);
        let news = waiting.has_news().then(|| mem::take(&mut waiting.untold));
        waiting.is_writing = true;
        drop(waiting);
        // The lines that were lost would stand after those taken, and before all that come now.
        if let Some(lost) = news {
            tell(lost);
        }
        let lost = sink.write(&bytes, lines);
        self.lost.fetch_add(lost, Ordering::Relaxed);
        let mut waiting = self.waiting.lock();
        waiting.untold += lost;
        waiting.is_writing = false;
        // Nothing tried says nothing.
        if lines > 0 {
            waiting.is_writable = lost == 0;
        }
        drop(waiting);
        self.tried.notify_all();
    }
}

impl Waiting {
    /// Whether lines were lost and the log can say so.
    fn has_news(&self) -> bool {
        self.untold > 0 && self.is_writable
    }
}

struct Sink<W> {
    sink: W,
    /// Whether the last line written lacks its end.
    is_torn: bool,
}

impl<W: Write> Sink<W> {
    /// Writes so many lines; the number of those that were not written whole.
    fn write(&mut self, bytes: &[u8], lines: u64) -> u64 {
        if self.is_torn && !bytes.is_empty() {
            match self.sink.write_all(b"\n") {
                Ok(()) => self.is_torn = false,
                Err(_) => return lines,
            }
        }
        let mut written = 0;
        while written < bytes.len() {
            match self.sink.write(&bytes[written..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(0) | Err(_) => {
                    let whole = bytes[..written].iter().filter(|byte| **byte == b'\n');
                    self.is_torn = written > 0 && bytes[written - 1] != b'\n';
                    return lines.saturating_sub(whole.count() as u64);
                }
                Ok(length) => written += length,
            }
        }
        // A sink that buffers has failed if it cannot be emptied.
        match self.sink.flush() {
            Ok(()) => 0,
            Err(_) => lines,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// A disk with room for so many bytes.
    #[derive(Clone, Default)]
    struct Disk(Arc<Mutex<(Vec<u8>, usize)>>);

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let (written, room) = &mut *self.0.lock();
            let length = bytes.len().min(*room);
            if length == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            *room -= length;
            written.extend_from_slice(&bytes[..length]);
            Ok(length)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Disk {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().0.clone()).unwrap()
        }
    }

    fn sink(disk: &Disk) -> Sink<Disk> {
        Sink {
            sink: disk.clone(),
            is_torn: false,
        }
    }

    #[test]
    fn what_a_full_disk_lost_is_told_when_it_has_room_again() {
        let (queue, disk) = (Queue::new(), Disk::default());
        let mut sink = sink(&disk);
        let tell = |lost| queue.push(format!("lost {lost}\n").as_bytes());
        disk.0.lock().1 = 8;
        queue.push(b"first\n");
        queue.push(b"second\n");
        queue.push(b"third\n");
        queue.write_once(&mut sink, tell);
        assert_eq!((queue.lost(), disk.text().as_str()), (2, "first\nse"));
        queue.push(b"fourth\n");
        queue.write_once(&mut sink, tell);
        assert_eq!(queue.lost(), 3);

        disk.0.lock().1 = 1000;
        queue.push(b"fifth\n");
        queue.write_once(&mut sink, tell);
        queue.write_once(&mut sink, tell);
        queue.write_once(&mut sink, tell);
        assert_eq!(disk.text(), "first\nse\nfifth\nlost 3\n");
    }

    #[test]
    fn a_queue_that_nobody_empties_is_bounded_and_says_where_lines_are_missing() {
        let (queue, disk) = (Queue::new(), Disk::default());
        disk.0.lock().1 = usize::MAX;
        let line = [b"x".repeat(1023), b"\n".to_vec()].concat();
        for _ in 0..1500 {
            queue.push(&line);
        }
        assert_eq!(queue.lost(), 1500 - 1024);
        let tell = |lost| queue.push(format!("lost {lost}\n").as_bytes());
        queue.write_once(&mut sink(&disk), tell);
        queue.push(b"after\n");
        queue.write_once(&mut sink(&disk), tell);
        let text = disk.text();
        assert_eq!(text.lines().count(), 1024 + 2);
        assert!(text.ends_with("x\nlost 476\nafter\n"));
        assert_eq!(queue.lost(), 476);
    }

    #[test]
    fn flushing_gives_up_on_a_sink_that_is_stuck() {
        let queue = Queue::new();
        queue.push(b"a line\n");
        let began = Instant::now();
        queue.flush(Duration::from_millis(10));
        assert!(began.elapsed() >= Duration::from_millis(10));
        queue.write_once(&mut sink(&Disk::default()), |_| {});
        queue.flush(Duration::from_secs(3600));
    }
}
