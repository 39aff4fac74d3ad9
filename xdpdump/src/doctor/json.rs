//! Findings for machines.

use serde_json::json;

use super::{Finding, Verdict};

/// One object: the version of the tool, the worst verdict (`ok`, `unknown`, `warning` or `failure`), and the findings in their
/// order.
pub fn report(verdict: Verdict, findings: &[Finding]) -> String {
    let findings: Vec<_> = findings
        .iter()
        .map(|Finding { group, name, interface, verdict, sentence, command }| {
            json!({
                "group": group.name(),
                "name": name,
                "interface": interface,
                "verdict": verdict.name(),
                "sentence": sentence,
                "command": command,
            })
        })
        .collect();
    let report = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "verdict": verdict.name(),
        "findings": findings,
    });
    format!("{report:#}\n")
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{super::Group, *};

    #[test]
    fn what_is_written_is_read_back() {
        let findings = [
            Group::Kernel.ok("release", "Linux \"6.18\""),
            Group::Memory.warning("rings", "little memory").with("free it".to_owned()),
        ];
        let text = report(Verdict::Warning, &findings);
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["verdict"], "warning");
        assert_eq!(value["findings"][0]["sentence"], "Linux \"6.18\"");
        assert_eq!(value["findings"][0]["command"], Value::Null);
        assert_eq!(value["findings"][1]["group"], "memory");
        assert_eq!(value["findings"][1]["command"], "free it");
        assert_eq!(value["findings"].as_array().unwrap().len(), 2);
    }
}
