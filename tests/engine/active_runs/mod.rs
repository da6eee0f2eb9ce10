//! The sidebar's feed: B-AR and the defects of its first store, each by name, and any schedule.

mod any_feed;
mod batches;
mod bounds;
mod connections;
mod defects;
mod desk;
mod listener;
mod of_a_host;
mod silent_runs;
mod updates;
mod watchers;
