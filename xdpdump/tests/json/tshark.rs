//! The same values under the same names as tshark prints them.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::Value;
use xdpdump_testing::skip;

use crate::{fixture, schema};

/// What tells whether tshark dissected the rest of a frame, and its name for the tags that a provider adds.
const ALSO: [&str; 3] = ["frame.protocols", "_ws.malformed", "ieee8021ad.id"];

/// A packet as tshark sees it: for each field, its values from the outside in.
type Row = BTreeMap<String, Vec<String>>;

/// The names of Wireshark's fields that the schema has.
fn fields() -> Vec<(String, String)> {
    let schema = schema::text();
    let mut fields = Vec::new();
    for (object, description) in schema["properties"].as_object().unwrap() {
        let members = description.pointer("/properties").or(description.pointer("/items/properties"));
        for name in members.and_then(Value::as_object).into_iter().flat_map(|members| members.keys()) {
            if object != "capture" {
                fields.push((object.clone(), name.clone()));
            }
        }
    }
    fields
}

fn rows(file: &Path, names: &[String]) -> Vec<Row> {
    let output = Command::new("tshark")
        .args(["-n", "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=|"])
        // Fragments are dissected one by one, as here.
        .args(["-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE"])
        .args(names.iter().flat_map(|name| ["-e", name]))
        .arg("-r")
        .arg(file)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    // A field that Wireshark does not have is an error here.
    assert!(output.status.success(), "{said}");
    let text = String::from_utf8(output.stdout).unwrap();
    let row = |line: &str| {
        let values = line.split('\t').map(|values| values.split('|').map(str::to_owned));
        let values = values.map(|values| values.filter(|value| !value.is_empty()).collect());
        names.iter().cloned().zip(values).collect()
    };
    text.lines().map(row).collect()
}

/// Whether tshark's text of a value is the same value.
fn is_same(value: &Value, text: &str) -> bool {
    match value {
        Value::Bool(value) => ["0", "False"].contains(&text) != *value,
        Value::Number(number) => {
            let (digits, radix) = text.strip_prefix("0x").map_or((text, 10), |digits| (digits, 16));
            u64::from_str_radix(digits, radix).ok() == number.as_u64()
        }
        Value::String(ours) => match (ours.parse::<IpAddr>(), text.parse::<IpAddr>()) {
            (Ok(ours), Ok(theirs)) => ours == theirs,
            _ => ours == text,
        },
        _ => false,
    }
}

/// Where tshark says something else, for a reason.
fn is_known(line: &Value, row: &Row, name: &str, theirs: Option<&String>) -> bool {
    let (object, _) = name.split_once('.').unwrap();
    let provider = 0x88a8;
    match object {
        // tshark does not show all of a header that is wrong or cut, or if it finds its body wrong.
        _ if theirs.is_none()
            && (line.get("malformed").is_some()
                || line.get("truncated").is_some()
                || !row["_ws.malformed"].is_empty()) =>
        {
            true
        }
        // The tag of a provider has another name there.
        "vlan" => line["eth"]["type"] == provider && !row["ieee8021ad.id"].is_empty(),
        // With a source route, tshark shows its end.
        "ip" => name == "ip.dst" && line["ip"]["hdr_len"].as_u64() > Some(20),
        // An error of dynamic RARP has no target.
        "arp" => name == "arp.dst.proto_ipv4" && line["arp"]["opcode"] == 7,
        // tshark does not know all types, and not as what they are.
        "igmp" => theirs.is_none(),
        _ => false,
    }
}

/// The headers that tshark finds first.
fn outer(protocols: &str, ethertype: u64) -> Vec<&str> {
    let skipped = ["eth", "ethertype", "vlan", "ieee8021ad", "raw"];
    let mut rest = protocols.split(':').filter(|name| !skipped.contains(name) && !name.starts_with("ipv6."));
    match rest.next() {
        Some(network @ ("ip" | "ipv6")) => {
            let transport = rest
                .find(|name| *name != "ah")
                .filter(|name| ["tcp", "udp", "icmp", "icmpv6", "igmp"].contains(name));
            [network].into_iter().chain(transport).collect()
        }
        // RARP has another EtherType.
        Some("arp") if ethertype == 0x0806 => vec!["arp"],
        _ => Vec::new(),
    }
}

#[test]
fn values_are_those_of_tshark() {
    if Command::new("tshark").arg("--version").output().is_err() {
        skip::because("tshark is not installed");
        return;
    }
    let fields = fields();
    let names: Vec<_> = fields.iter().map(|(object, name)| format!("{object}.{name}")).collect();
    let names: Vec<_> = names.into_iter().chain(ALSO.map(str::to_owned)).collect();
    let folder = tempfile::tempdir().unwrap();
    let mut compared = 0;
    for fixture_name in ["protocols", "raw", "truncated", "classic"] {
        // pcapng has interfaces, which a pcap file has not.
        let file = folder.path().join(fixture_name);
        let tool = |arguments: &[&str], file: &Path| {
            let output =
                Command::new(env!("CARGO_BIN_EXE_xdpdump")).args(arguments).arg("-r").arg(file).output();
            let output = output.unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap()
        };
        tool(&["-w", file.to_str().unwrap()], &fixture(fixture_name));
        let (lines, rows) = (tool(&["--json"], &file), rows(&file, &names));
        let mut different = Vec::new();
        assert_eq!(lines.lines().count(), rows.len());
        for (line, row) in lines.lines().map(one).zip(&rows) {
            for ((object, member), name) in fields.iter().zip(&names) {
                let objects = line.get(object).into_iter();
                let objects =
                    objects.flat_map(|value| value.as_array().map_or(std::slice::from_ref(value), |all| all));
                for (value, at) in objects.filter_map(|object| object.get(member)).zip(0..) {
                    let theirs = row[name].get::<usize>(at);
                    compared += 1;
                    if !theirs.is_some_and(|theirs| is_same(value, theirs))
                        && !is_known(&line, row, name, theirs)
                    {
                        different.push(format!("{name}: {value} {theirs:?} in {line}"));
                    }
                }
            }
            let protocols = row["frame.protocols"].first().map_or("", String::as_str);
            for header in outer(protocols, line["eth"]["type"].as_u64().unwrap_or_default()) {
                let is_said = line.get("malformed").or(line.get("truncated")).is_some();
                if line.get(header).is_none() && !is_said {
                    different.push(format!("{header} is missing in {line}"));
                }
            }
        }
        assert!(different.is_empty(), "{fixture_name}: {} differ\n{}", different.len(), different.join("\n"));
    }
    assert!(compared > 50_000, "only {compared} values were compared");
}

fn one(line: &str) -> Value {
    crate::object(&format!("{line}\n"))
}
