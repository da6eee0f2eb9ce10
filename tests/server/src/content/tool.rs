//! Tool calls with JSON arguments, results of more than one script, and failures.

use super::ToolCall;
use super::chance::Chance;

/// Every how manieth call fails.
const FAILS: usize = 5;

/// The `number`-th tool call of a run, counted from 1.
pub(super) fn call(number: usize, chance: &mut Chance) -> ToolCall {
    let (name, arguments, result) = match chance.between(0, 3) {
        0 => {
            let rows = chance.between(3, 6);
            let table = (0..rows)
                .map(|row| {
                    let region = chance.pick(&["north", "süd", "東京", "Київ", "São Paulo"], "north");
                    format!("| {} | {region} | {} |\n", row + 1, chance.between(100, 99_999))
                })
                .collect::<String>();
            let query = serde_json::json!({
                "query": "select region, sum(total) as total from orders where day >= $1 group by region order by 2 desc",
                "params": [format!("2025-{:02}-{:02}", chance.between(1, 12), chance.between(1, 28))],
                "limit": rows,
            });
            ("sql", query, format!("| # | region | total |\n|---|---|---|\n{table}"))
        }
        1 => {
            let topic =
                chance.pick(&["replay buffers", "повторная отправка", "再接続", "résumé « complet »"], "replay");
            let query =
                serde_json::json!({ "query": topic, "topK": chance.between(3, 8), "filters": { "lang": null } });
            (
                "search",
                query,
                format!("3 documents about \"{topic}\" \u{2014} best: https://docs.example.com/a?b=1&c=<2>"),
            )
        }
        2 => {
            let path = chance.pick(&["src/main.rs", "src/поток.rs", "docs/説明.md"], "src/main.rs");
            let query = serde_json::json!({ "path": path, "range": { "from": 1, "to": chance.between(5, 60) } });
            ("read_file", query, "fn main() {\n\tprintln!(\"{}\", \"\\\\o/\");\n}\n".to_owned())
        }
        _ => {
            let query =
                serde_json::json!({ "city": chance.pick(&["Zürich", "Αθήνα", "大阪"], "Bern"), "unit": "celsius" });
            ("weather", query, format!("{} °C, {}", chance.between(0, 35), chance.pick(&["☀️", "🌧️", "⛈️"], "☁️")))
        }
    };
    let fails = number.is_multiple_of(FAILS);
    ToolCall {
        call_id: format!("call_{number}"),
        name,
        agent_name: chance.once_in(3).then_some("researcher"),
        arguments: arguments.to_string(),
        result: (!fails).then_some(result),
        error: fails.then(|| format!("{name}: no answer within 3000 ms")),
        duration_ms: Some(chance.between(3, 3_000) as u64),
    }
}
