//! The tasks of a process: all of them run until it is to end. One that ends before, by an error or a
//! panic, ends the process: what supervises it starts another, and nothing stands still unseen.

use tokio::task::JoinError;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Starts tasks and watches them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
    broken: CancellationToken,
}

impl Tasks {
    /// Cancelled when the tasks are to end.
    pub(crate) fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Starts a task that ends only when told to, by [`Tasks::stop`].
    pub(crate) fn spawn(
        &self,
        name: &'static str,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        self.spawn_fallible(name, async {
            task.await;
            Ok(())
        });
    }

    /// The same, for a task that may fail.
    pub(crate) fn spawn_fallible(
        &self,
        name: &'static str,
        task: impl Future<Output = anyhow::Result<()>> + Send + 'static,
    ) {
        let task = self.tracker.spawn(task);
        let (stop, broken) = (self.stop.clone(), self.broken.clone());
        self.tracker.spawn(async move {
            let reason = reason(task.await);
            if !stop.is_cancelled() {
                tracing::error!(task = name, error = reason, "{name} has ended: {reason}");
                broken.cancel();
            }
        });
    }

    /// Waits for a task that ends although it was not told to.
    pub(crate) async fn broken(&self) {
        self.broken.cancelled().await;
    }

    /// Tells the tasks to end and waits until they have.
    pub(crate) async fn end(&self) {
        self.stop.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }
}

fn reason(ended: Result<anyhow::Result<()>, JoinError>) -> String {
    match ended {
        Ok(Ok(())) => "it had nothing more to do".to_owned(),
        Ok(Err(error)) => format!("{error:#}"),
        Err(panic) => panic.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SOON: Duration = Duration::from_secs(5);

    async fn breaks(task: impl Future<Output = anyhow::Result<()>> + Send + 'static) -> bool {
        let tasks = Tasks::default();
        tasks.spawn("steady", tasks.stop().cancelled_owned());
        tasks.spawn_fallible("doubtful", task);
        let broken = tokio::time::timeout(SOON, tasks.broken()).await.is_ok();
        tasks.end().await;
        broken
    }

    #[tokio::test]
    async fn a_task_that_ends_by_itself_is_seen_however_it_does() {
        assert!(breaks(async { Ok(()) }).await);
        assert!(breaks(async { anyhow::bail!("no port") }).await);
        assert!(breaks(async { panic!("a fault") }).await);
    }

    #[tokio::test]
    async fn tasks_that_end_when_told_to_break_nothing() {
        let tasks = Tasks::default();
        tasks.spawn("steady", tasks.stop().cancelled_owned());
        tasks.end().await;
        assert!(!tasks.broken.is_cancelled());
    }
}
