//! Which protocol a run speaks.

use serde::{Deserialize, Serialize};

use crate::content::Recipe;

/// A protocol of the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// PROTOCOLS 1.
    #[default]
    Bichat,
    /// PROTOCOLS 5, as `docs/ws-chat.md` has it.
    WsChat,
    /// PROTOCOLS 4: the AI SDK's UI message stream.
    UiMessage,
    /// PROTOCOLS 2, as `docs/envelope.md` has it.
    Envelope,
    /// PROTOCOLS 3, as `docs/chunks.md` has it.
    Chunks,
}

impl Protocol {
    /// Whether a request id goes on naming its run when that has ended, for as long as the run is kept.
    pub(super) fn keeps_request_ids(self) -> bool {
        self != Self::Bichat
    }

    /// Whether the events of a session are numbered through all its runs, so that it can have one at a time.
    pub(super) fn numbers_sessions(self) -> bool {
        matches!(self, Self::Envelope | Self::Chunks)
    }

    /// What of a recipe can be said in this protocol. Its number of events stays.
    pub(super) fn sayable(self, recipe: &Recipe) -> Recipe {
        let mut recipe = recipe.clone();
        if self == Self::WsChat {
            recipe.tool_calls = 0;
            for part in [&mut recipe.reasoning, &mut recipe.citation, &mut recipe.usage, &mut recipe.interrupt] {
                *part = false;
            }
        }
        recipe
    }
}
