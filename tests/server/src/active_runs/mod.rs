//! The active runs of all sessions (PROTOCOLS 1.8, B-AR-9): an index of what runs, and a feed of its rows and of what
//! becomes of them.

mod churn;
mod feed;
mod index;
mod row;

pub use churn::Churn;
pub use feed::ActiveFeed;
pub use index::{Index, Reach, Said};
pub use row::{Draft, Row};

/// What who asks is told while the index cannot be read (B-AR-10).
pub(crate) const INDEX_UNAVAILABLE: &str = "active-run index unavailable";
