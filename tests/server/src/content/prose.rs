//! Markdown that reads like an assistant's answer: prose, lists, tables, code, and about a tenth of it in scripts and
//! sequences that break careless code.

use super::chance::Chance;
use super::tokens::LONGEST;

/// Characters a token has on average.
const USUAL: usize = 4;

/// Enough answer for `tokens` tokens. `headed` lets it begin with a heading, as a final answer does.
pub(super) fn answer(tokens: usize, headed: bool, chance: &mut Chance) -> String {
    write(tokens, chance, |text, wanted, chance| match chance.between(0, 9) {
        _ if wanted < 200 => sentence(text, chance),
        0 => heading(text, chance),
        1 if text.is_empty() && headed => heading(text, chance),
        1 | 2 => list(text, chance),
        3 if wanted > 400 => table(text, chance),
        4 if wanted > 400 => code(text, chance),
        5 => quote(text, chance),
        _ => paragraph(text, chance),
    })
}

/// Enough thinking for `tokens` tokens.
pub(super) fn reasoning(tokens: usize, chance: &mut Chance) -> String {
    write(tokens, chance, |text, _, chance| {
        text.push_str(chance.pick(THOUGHTS, "Let me check."));
        text.push(if chance.once_in(5) { '\n' } else { ' ' });
    })
}

/// Lets `add` write until there are enough characters for each token to have its usual share.
fn write(tokens: usize, chance: &mut Chance, add: impl Fn(&mut String, usize, &mut Chance)) -> String {
    let mut text = String::new();
    let mut length = 0;
    while length < tokens * USUAL {
        let before = text.len();
        add(&mut text, tokens * USUAL - length, chance);
        length += text.get(before..).map_or(0, |added| added.chars().count());
    }
    let most = tokens * LONGEST;
    if length > most {
        text = text.chars().take(most.saturating_sub(1)).chain(['.']).take(most).collect();
    }
    text
}

fn heading(text: &mut String, chance: &mut Chance) {
    text.push_str(if text.is_empty() { "## " } else { "\n## " });
    text.push_str(chance.pick(HEADINGS, "What happened"));
    text.push_str("\n\n");
}

fn paragraph(text: &mut String, chance: &mut Chance) {
    for _ in 0..chance.between(2, 5) {
        sentence(text, chance);
    }
    text.push_str("\n\n");
}

fn sentence(text: &mut String, chance: &mut Chance) {
    if chance.once_in(5) {
        text.push_str(chance.pick(FOREIGN, "再接続しました。"));
    } else {
        text.push_str(chance.pick(SENTENCES, "The stream continues."));
    }
    if chance.once_in(6) {
        text.push(' ');
        text.push_str(chance.pick(EMOJI, "🙂"));
    }
    text.push(' ');
}

fn list(text: &mut String, chance: &mut Chance) {
    text.push('\n');
    for _ in 0..chance.between(3, 5) {
        text.push_str("- **");
        text.push_str(chance.pick(TERMS, "cursor"));
        text.push_str("**: ");
        sentence(text, chance);
        text.push('\n');
    }
    text.push('\n');
}

fn table(text: &mut String, chance: &mut Chance) {
    text.push_str("\n| region | runs | p95 ms | note |\n|---|---|---|---|\n");
    for _ in 0..chance.between(3, 6) {
        let region = chance.pick(&["north", "Zürich", "Київ", "東京", "서울"], "north");
        let note = chance.pick(EMOJI, "ok");
        text.push_str(&format!(
            "| {region} | {} | {}.{} | {note} |\n",
            chance.between(10, 9_999),
            chance.between(12, 480),
            chance.between(0, 9)
        ));
    }
    text.push('\n');
}

fn code(text: &mut String, chance: &mut Chance) {
    text.push('\n');
    text.push_str(chance.pick(CODE, "```sh\nmake test\n```\n"));
    text.push('\n');
}

fn quote(text: &mut String, chance: &mut Chance) {
    text.push_str("\n> ");
    sentence(text, chance);
    text.push_str("\n\n");
}

const HEADINGS: &[&str] = &[
    "What happened",
    "How the pieces fit",
    "What to do next",
    "A closer look at the numbers",
    "Що змінилося",
    "再接続の流れ",
    "Where the time goes",
];

const TERMS: &[&str] = &["cursor", "replay", "backoff", "heartbeat", "snapshot", "delta", "курсор", "再送", "Zustand"];

const SENTENCES: &[&str] = &[
    "The connection was cut in the middle of a frame, and the reader simply started over at the last whole event.",
    "Nothing here depends on luck: the cursor only moves once an event has been applied.",
    "Most of the delay comes from a single query that scans the orders table twice.",
    "Adding an index on `(region, day)` brings the p95 down from 480 ms to 31 ms.",
    "You can safely retry this step, because the request carries its own id.",
    "That is the whole trick.",
    "If the proxy buffers the response, the first token arrives late but complete.",
    "I compared both plans and kept the one that reads fewer pages.",
    "Note that `Retry-After` may hold either seconds or a date.",
    "A silent socket looks exactly like a slow one until the next heartbeat is due.",
    "The totals below leave out refunds & test orders (fewer than 0.3 % of rows).",
    "For small inputs the difference is hardly worth measuring.",
    "Each reconnect waits a little longer, with some jitter so that clients do not return all at once.",
    "When `a < b && b > c` holds, the fast path is taken.",
    "In short: store once, send once, show once.",
    "The old behaviour is still there if you set `\"compat\": true`.",
];

const FOREIGN: &[&str] = &[
    "Соединение восстановлено, ничего не потеряно и не повторено.",
    "Запит виконано за 31 мс замість 480.",
    "接続が切れても、続きから正しく再開します。",
    "数据只发送一次,也只显示一次。",
    "연결이 끊겨도 이어서 받습니다.",
    "Cafe\u{301}, nai\u{308}ve, Å\u{323}ngstro\u{308}m: combining marks stay with their letters.",
    "Η σύνδεση επανήλθε και συνεχίζουμε κανονικά.",
    "עברית וגם العربية, right to left.",
];

const EMOJI: &[&str] = &["🙂", "🚀", "👩‍👩‍👧‍👦", "🧑🏽‍💻", "🏳️‍🌈", "🇺🇦", "❤️‍🔥", "👍🏿", "🐻‍❄️", "1️⃣"];

const THOUGHTS: &[&str] = &[
    "The user asks why the answer stopped half way.",
    "Let me look at the log first.",
    "The cursor is at the last event that was applied, so a replay from there is safe.",
    "Two tables could hold this; orders is the likelier one.",
    "Сначала проверю индексы.",
    "まず計画を確認する。",
    "I should not guess the region; a query will tell.",
    "That matches what was measured before 🤔.",
    "One thing is odd: the second request has the same id.",
    "Good, the numbers add up.",
];

const CODE: &[&str] = &[
    "```rust\nfn next(&mut self) -> Option<&str> {\n    let (line, rest) = self.rest.split_once('\\n')?;\n    self.rest = rest;\n    Some(line) // \"done\" comes last\n}\n```\n",
    "```sql\nselect region, count(*) filter (where status <> 'ok') as failed\nfrom runs\nwhere day >= now() - interval '7 days' and region in ('Zürich', '東京')\ngroup by 1 having count(*) > 10;\n```\n",
    "```ts\nconst run = client.send(sessionId, { content: 'Привіт 👋' });\nfor await (const event of run) {\n\tif (event.type === 'content') out += event.content ?? '';\n}\n```\n",
    "```json\n{\n  \"retry\": { \"baseMs\": 1000, \"capMs\": 30000 },\n  \"path\": \"C:\\\\tmp\\\\log\"\n}\n```\n",
    "```python\ndef fold(parts: list[str]) -> str:\n    return \"\".join(parts)  # ключ: порядок\n```\n",
];
