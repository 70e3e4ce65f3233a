//! Files with the secrets of simulated clouds, handled as real ones have to be.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Writes a file that its owner alone may read.
pub(super) fn write(path: &Path, content: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600);
    file.open(path)?.write_all(content.as_bytes())
}
