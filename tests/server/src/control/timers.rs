//! Changes of the weather that are still to come: the end of an offline time, the next cut of many.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Mutex;

use tokio::task::AbortHandle;

use crate::clock::lock;

/// At most one timer for each purpose; a new one replaces the old.
#[derive(Debug, Default)]
pub struct Timers(Mutex<BTreeMap<&'static str, AbortHandle>>);

impl Timers {
    /// Lets `task` run, instead of an earlier one for the same purpose.
    pub(crate) fn set(&self, purpose: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let handle = tokio::spawn(task).abort_handle();
        if let Some(old) = lock(&self.0).insert(purpose, handle) {
            old.abort();
        }
    }

    /// Stops the one for this purpose.
    pub(crate) fn stop(&self, purpose: &'static str) {
        if let Some(old) = lock(&self.0).remove(purpose) {
            old.abort();
        }
    }

    /// Stops all.
    pub(crate) fn clear(&self) {
        for old in std::mem::take(&mut *lock(&self.0)).into_values() {
            old.abort();
        }
    }
}
