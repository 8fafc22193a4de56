//! What all parts of a running emulator share: the world behind its lock, the
//! faults, the log of requests, and the signals that wake the background tasks.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

use crate::{faults::Faults, log::RequestLog, webhook, world::World};

/// Settings that stay the same while the emulator runs.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The emulator's own address, without a slash at the end.
    pub(crate) base: String,
    /// First pause before a webhook is tried again, in milliseconds.
    pub(crate) first_retry: i64,
    /// Longest such pause, in milliseconds.
    pub(crate) longest_retry: i64,
    /// The one token that the TikTok routes accept; any, if absent.
    pub(crate) tiktok_access_token: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Core {
    world: Mutex<World>,
    pub(crate) settings: Settings,
    pub(crate) faults: Faults,
    pub(crate) log: RequestLog,
    /// Wakes the task that delivers webhooks.
    pub(crate) deliver: Notify,
    /// Tells those who wait that a delivery was tried.
    pub(crate) tried: Notify,
    /// Wakes the task that writes the snapshot.
    pub(crate) dirty: Notify,
    stopping: watch::Receiver<bool>,
}

impl Core {
    pub(crate) fn new(world: World, settings: Settings, stopping: watch::Receiver<bool>) -> Self {
        Self {
            world: Mutex::new(world),
            settings,
            faults: Faults::default(),
            log: RequestLog::default(),
            deliver: Notify::new(),
            tried: Notify::new(),
            dirty: Notify::new(),
            stopping,
        }
    }

    /// Looks at the world. What has become due happens first.
    pub(crate) fn look<R>(&self, act: impl FnOnce(&mut World) -> R) -> R {
        let mut world = self.lock();
        let moved = world.catch_up();
        let result = act(&mut world);
        let sent = webhook::enqueue(&mut world, &self.faults);
        drop(world);
        if moved || sent {
            self.dirty.notify_one();
        }
        if sent {
            self.deliver.notify_one();
        }
        result
    }

    /// Changes the world; the snapshot follows soon.
    pub(crate) fn change<R>(&self, act: impl FnOnce(&mut World) -> R) -> R {
        let result = self.look(act);
        self.dirty.notify_one();
        result
    }

    /// The lock alone, for the background tasks.
    pub(crate) fn lock(&self) -> MutexGuard<'_, World> {
        // A panic in one operation must not end the whole emulator.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Resolves when the emulator stops.
    pub(crate) async fn stopped(&self) {
        let mut stopping = self.stopping.clone();
        // An error means that the handle is gone, which stops it too.
        drop(stopping.wait_for(|stop| *stop).await);
    }
}
