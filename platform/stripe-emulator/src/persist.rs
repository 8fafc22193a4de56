//! The snapshot file: the whole world as JSON, written beside and then renamed,
//! so that a reader finds the old one or the new one and never a half.

use std::{
    fs::{self, File},
    io::{BufWriter, ErrorKind, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use tokio::time::{Instant, sleep, sleep_until};

use crate::{core::Core, world::World};

/// Snapshots are never closer together than this.
const APART: Duration = Duration::from_millis(200);

/// Writing takes at most this part of the time: one part in six.
const REST: u32 = 5;

/// Reads the world that was left, or makes a new one.
///
/// # Errors
/// A file that is there and cannot be read as a snapshot.
pub(crate) fn load(path: Option<&Path>) -> anyhow::Result<World> {
    let Some(path) = path else {
        return Ok(World::default());
    };
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .with_context(|| format!("{} is not a snapshot of the emulator", path.display())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(World::default()),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Writes a snapshot soon after each change, until the emulator stops.
pub(crate) async fn run(core: Arc<Core>, path: PathBuf) {
    loop {
        tokio::select! {
            () = core.stopped() => return,
            () = core.dirty.notified() => {}
        }
        // What changes while waiting goes into the same snapshot.
        sleep(APART / 4).await;
        let started = Instant::now();
        let (copy, path) = (core.lock().frozen(), path.clone());
        let written = tokio::task::spawn_blocking(move || save(&copy, &path)).await;
        if let Ok(Err(error)) = written {
            eprintln!("berth-stripe-emulator: {error:#}");
        }
        let apart = APART.max(started.elapsed() * REST);
        tokio::select! {
            () = core.stopped() => return,
            () = sleep_until(started + apart) => {}
        }
    }
}

/// Writes one snapshot.
///
/// # Errors
/// A disk that does not take it.
pub(crate) fn save(world: &World, path: &Path) -> anyhow::Result<()> {
    let context = || format!("cannot write {}", path.display());
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let mut out = BufWriter::new(File::create(&beside).with_context(context)?);
    serde_json::to_writer(&mut out, world).with_context(context)?;
    out.flush().with_context(context)?;
    drop(out);
    fs::rename(&beside, path).with_context(context)
}
