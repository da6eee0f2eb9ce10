//! Waiting until the machine has caught up. Whoever reads what this server has written is another process: how long it
//! takes is a matter of how busy the machine is, and no number of milliseconds is right for all of them.

use std::sync::LazyLock;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

/// How often a processor must have had nothing better to do, one pause after the other: bytes pass from thread to thread on
/// their way into a page, and between two of them everybody sleeps for a moment.
const ROUNDS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(1);

/// A machine that is never idle is not waited for any longer.
const MOST: Duration = Duration::from_secs(2);

/// One idler a processor, which gets to run when nobody else wants to.
static IDLERS: LazyLock<Vec<Sender<oneshot::Sender<()>>>> = LazyLock::new(|| {
    let cores = core_affinity::get_core_ids().unwrap_or_default();
    cores.into_iter().filter_map(start).collect()
});

/// Waits until every processor has been idle again and again, at most 2 s: everything that could be done with what was
/// written before has been done.
pub async fn calm() {
    let told = IDLERS.iter().filter_map(|idler| {
        let (tell, told) = oneshot::channel();
        idler.send(tell).ok().map(|()| told)
    });
    let all = futures_util::future::join_all(told);
    // Too busy, or an idler is gone: then this was at least a while.
    let _ = tokio::time::timeout(MOST, all).await;
}

fn start(core: core_affinity::CoreId) -> Option<Sender<oneshot::Sender<()>>> {
    let (ask, asked) = channel();
    let idle = move || {
        // Where the system allows neither, the pauses alone are waited for.
        core_affinity::set_for_current(core);
        sink();
        serve(&asked);
    };
    thread::Builder::new().name(format!("idle {}", core.id)).spawn(idle).ok().map(|_| ask)
}

/// Gives this thread the scheduler's idle class: it runs when nobody else on its processor wants to.
#[cfg(target_os = "linux")]
fn sink() {
    use thread_priority::unix::{NormalThreadSchedulePolicy, ThreadSchedulePolicy};
    use thread_priority::{ThreadPriority, set_thread_priority_and_policy, thread_native_id};

    let policy = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
    let _ = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, policy);
}

/// Other systems have no such class.
#[cfg(not(target_os = "linux"))]
fn sink() {}

fn serve(asked: &Receiver<oneshot::Sender<()>>) {
    while let Ok(first) = asked.recv() {
        let waiting: Vec<_> = std::iter::once(first).chain(asked.try_iter()).collect();
        (0..ROUNDS).for_each(|_| thread::sleep(PAUSE));
        for tell in waiting {
            // Who asked may have gone.
            let _ = tell.send(());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[tokio::test]
    async fn everybody_who_waits_is_told() {
        futures_util::future::join_all((0..40).map(|_| calm())).await;
        calm().await;
    }

    #[tokio::test]
    async fn a_machine_that_is_never_idle_is_not_waited_for() {
        let over = Arc::new(AtomicBool::new(false));
        let busy: Vec<_> = (0..2 * thread::available_parallelism().map_or(1, usize::from))
            .map(|_| {
                let over = Arc::clone(&over);
                thread::spawn(move || while !over.load(Ordering::Relaxed) {})
            })
            .collect();
        calm().await;
        over.store(true, Ordering::Relaxed);
        busy.into_iter().for_each(|thread| thread.join().unwrap());
    }
}
