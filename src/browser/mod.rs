//! Every call into the page: transports, timers, page signals. No policy.
