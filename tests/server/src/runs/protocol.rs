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
}

impl Protocol {
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
