//! Small file operations shared by everything that keeps state under `.dev/`.

use std::fs;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// How much of a log's end is read when its last lines are wanted, in bytes.
const TAIL_WINDOW: u64 = 64 * 1024;

/// Writes `contents` to `path` so that a reader sees the old or the new file,
/// never half of one. `mode` is the Unix permission of the new file.
///
/// # Errors
/// Any failure to write beside `path` or to move the file into place.
pub fn write_atomic(path: &Path, contents: &[u8], mode: u32) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.tmp", uuid::Uuid::new_v4().simple()));
    let written = (|| {
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&beside)?;
        file.write_all(contents)?;
        fs::rename(&beside, path)
    })();
    if written.is_err() {
        // The first error is the one to report.
        drop(fs::remove_file(&beside));
    }
    written
}

/// Reads a JSON file; a missing file is `None`.
///
/// # Errors
/// The file cannot be read, or is not JSON of this shape.
pub fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| {
            io::Error::new(
                io::ErrorKind::InvalidData,
                format!("{}: {error}", path.display()),
            )
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes a value as indented JSON, atomically, readable by all.
///
/// # Errors
/// As [`write_atomic`].
pub fn write_json<T: serde::Serialize>(path: &Path, value: &T) -> io::Result<()> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    write_atomic(path, &text, 0o644)
}

/// The last `lines` lines of a log, counting only what was written from byte
/// `from` on. A log that cannot be read gives an empty string.
#[must_use]
pub fn tail(path: &Path, from: u64, lines: usize) -> String {
    let read = || -> io::Result<String> {
        let mut file = fs::File::open(path)?;
        let length = file.metadata()?.len();
        let start = from.min(length).max(length.saturating_sub(TAIL_WINDOW));
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let text = read().unwrap_or_default();
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tail_keeps_the_last_lines_written_after_an_offset() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("a.log");
        fs::write(&log, "one\ntwo\nthree\nfour\n").unwrap();
        assert_eq!(tail(&log, 0, 2), "three\nfour");
        assert_eq!(tail(&log, 8, 9), "three\nfour");
        assert_eq!(tail(&dir.path().join("absent"), 0, 2), "");
    }

    #[test]
    fn an_atomic_write_replaces_the_file_and_leaves_nothing_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("value.json");
        write_json(&path, &1).unwrap();
        write_json(&path, &2).unwrap();
        assert_eq!(read_json::<u8>(&path).unwrap(), Some(2));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
