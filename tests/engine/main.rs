//! The engine's promises: one file a situation, played against a model of the server in virtual time.
//!
//! `support` is the simulated world; its invariants hold in every test here, whatever the test itself asserts.

#![cfg(not(target_arch = "wasm32"))]

mod support;

mod a_million_deltas_unwatched;
mod accept_then_close;
mod any_schedule;
mod back_forward_cache;
mod badge_at_the_end;
mod badge_forgets_what_is_mended;
mod chunks_run;
mod chunks_split_anywhere;
mod clean_eof_is_a_disconnect;
mod close_stops_watching;
mod connect_grace;
mod custom_run;
mod each_terminal_settles;
mod empty_200_loop_ends;
mod end_of_a_host;
mod endless_refusals_end;
mod envelope_run;
mod event_source_without_headers;
mod forgotten_on_a_live_socket;
mod heartbeats_then_silence;
mod html_page_with_200;
mod ignored_cursor;
mod log_expires_before_the_end;
mod log_unavailable_falls_back_to_resume;
mod malformed_frames_are_skipped;
mod offline_mid_run;
mod opened_late;
mod orders_of_a_host;
mod pace_of_a_run;
mod page_reloads;
mod plain_server_is_lost;
mod random_bytes;
mod random_inputs;
mod random_inputs_of_a_host;
mod raw_events_for_a_listener;
mod refused_native_source;
mod refused_token;
mod refused_with_401;
mod refused_with_503_and_retry_after;
mod replay_of_seen_events;
mod replies_of_a_host;
mod reply_cut_short;
mod reset_after_every_event;
mod retry_goes_on;
mod run_not_found_as_plain_text;
mod run_waits_for_an_answer;
mod same_seed_same_outputs;
mod send_cut_before_the_run_id;
mod send_refused;
mod send_response_is_lossy;
mod server_restarts;
mod server_without_a_log;
mod shared_socket;
mod silence_without_heartbeats;
mod sleeping_laptop;
mod socket_reset_mid_run;
mod status_decides_when_the_budget_is_spent;
mod stop_classifies_by_intent;
mod stop_of_a_session;
mod tab_looked_at_again;
mod timers_fire_late_or_for_no_reason;
mod two_terminals;
mod ui_message_run;
mod weather_of_a_socket;
