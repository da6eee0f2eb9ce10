//! Text cut as a language model's tokens are: 1 to 12 characters, wherever a cut happens to fall.

use super::Delta;
use super::chance::Chance;

/// The longest token, in characters.
pub(super) const LONGEST: usize = 12;

/// Cuts `text` into exactly `count` tokens; into fewer only if it has fewer characters, into longer ones only if `count`
/// of the longest cannot hold it.
pub(super) fn cut(text: &str, count: usize, chance: &mut Chance) -> Vec<Delta> {
    let mut left = text.chars().count();
    let mut chars = text.chars();
    let mut tokens = Vec::with_capacity(count);
    for remaining in (1..=count).rev() {
        if left == 0 {
            break;
        }
        let others = remaining - 1;
        let fewest = left.saturating_sub(LONGEST * others).max(1);
        let most = left.saturating_sub(others).clamp(fewest, LONGEST.max(fewest));
        // Around the average of what is left, so that lengths stay mixed up to the last token.
        let usual = (2 * left / remaining).saturating_sub(1).clamp(fewest, most);
        let length = if others == 0 { left } else { chance.between(fewest, usual) };
        tokens.push(Delta { text: chars.by_ref().take(length).collect(), ..Delta::default() });
        left -= length;
    }
    tokens
}

/// Moves the cut before a token that begins with an astral character into that character's surrogate pair.
pub(super) fn split_surrogates(tokens: &mut [Delta]) {
    for index in 1..tokens.len() {
        let Some((before, after)) = tokens.split_at_mut_checked(index) else { continue };
        if let ([.., before], [after, ..]) = (before, after)
            && let Some(first) = after.text.chars().next()
            && first.len_utf16() == 2
        {
            before.ends_high = Some(first);
            after.opens_low = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tokens_join_to_the_text_and_are_as_many_as_asked_for() {
        let text = "Ein Satz mit Umlauten: äöü, 漢字 und 👩‍👩‍👧 e\u{301}.".repeat(20);
        let characters = text.chars().count();
        for count in [characters / 12 + 1, 200, 400, characters] {
            let tokens = cut(&text, count, &mut Chance::seeded(count as u64));
            assert_eq!(tokens.len(), count);
            assert_eq!(tokens.iter().map(|token| token.text.as_str()).collect::<String>(), text);
            assert!(tokens.iter().all(|token| (1..=LONGEST).contains(&token.text.chars().count())));
        }
        assert_eq!(cut("abc", 10, &mut Chance::seeded(1)).len(), 3);
        assert_eq!(cut("a sentence of some length", 1, &mut Chance::seeded(1)).len(), 1);
    }

    #[test]
    fn a_split_pair_belongs_to_the_token_that_completes_it() {
        let token = |text: &str| Delta { text: text.to_owned(), ..Delta::default() };
        let mut tokens = [token("a"), token("😀b"), token("c")];
        split_surrogates(&mut tokens);
        assert_eq!(tokens.each_ref().map(|token| token.ends_high), [Some('😀'), None, None]);
        assert_eq!(tokens.each_ref().map(|token| token.opens_low), [false, true, false]);
    }
}
