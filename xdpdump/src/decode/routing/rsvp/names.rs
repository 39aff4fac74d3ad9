//! Names of messages, objects and errors (IANA), in tcpdump's words.

pub(super) fn message(kind: u8) -> Option<&'static str> {
    Some(match kind {
        1 => "Path",
        2 => "Resv",
        3 => "PathErr",
        4 => "ResvErr",
        5 => "PathTear",
        6 => "ResvTear",
        7 => "ResvConf",
        12 => "Bundle",
        13 => "Acknowledgement",
        14 => "Hello (Old)",
        15 => "Refresh",
        20 => "Hello",
        _ => return None,
    })
}

pub(super) fn object(class: u8) -> &'static str {
    match class {
        1 => "Session",
        3 => "RSVP Hop",
        4 => "Integrity",
        5 => "Time Values",
        6 => "Error Spec",
        7 => "Scope",
        8 => "Style",
        9 => "Flowspec",
        10 => "FilterSpec",
        11 => "Sender Template",
        12 => "Sender TSpec",
        13 => "Adspec",
        14 => "Policy Data",
        15 => "Confirm",
        16 => "Label",
        19 => "Label Request",
        20 => "ERO",
        21 => "RRO",
        22 => "Hello",
        23 => "Message ID",
        24 => "Message ID Ack",
        25 => "Message ID List",
        34 => "Recovery Label",
        35 => "Upstream Label",
        36 => "Label Set",
        37 => "Protection",
        50 => "Sub-LSP to LSP",
        63 => "Detour",
        66 => "Class Type",
        125 => "Class Type (old)",
        129 => "Suggested Label",
        130 => "Acceptable Label Set",
        131 => "Restart Capability",
        134 => "Capability",
        195 => "Notify Request",
        196 => "Administrative Status",
        204 => "Properties",
        205 => "Fast Re-Route",
        207 => "Session Attribute",
        229 => "Generalized UNI",
        230 => "Call-ID",
        236 => "Call Capability",
        _ => "Unknown",
    }
}

/// The name of a type within a class; `None` if it is shown as a number.
pub(super) fn class_type(class: u8, kind: u8) -> Option<&'static str> {
    Some(match (class, kind) {
        (1 | 3 | 6 | 10 | 11 | 15 | 20 | 21 | 131 | 195, 1) => "IPv4",
        (1 | 3 | 6 | 10 | 11 | 15 | 195, 2) => "IPv6",
        (1 | 10 | 11 | 63 | 205 | 207, 7) => "Tunnel IPv4",
        (1, 11) => "UNI IPv4",
        (1, 13) | (10 | 11, 12) => "IPv4 P2MP LSP Tunnel",
        (1, 14) | (10 | 11, 13) => "IPv6 P2MP LSP Tunnel",
        (3 | 6, 3) => "IPv4 plus opt. TLVs",
        (3 | 6, 4) => "IPv6 plus opt. TLVs",
        (9, 1) => "obsolete",
        (9 | 12 | 13, 2) => "IntServ",
        (10, 3) => "IPv6 Flow-label",
        (16 | 34 | 35 | 129, 1) => "Label",
        (16 | 34 | 35 | 129, 2) | (19, 4) => "Generalized Label",
        (16 | 34 | 35 | 129, 3) => "Waveband Switching",
        (19, 1) => "without label range",
        (19, 2) => "with ATM label range",
        (19, 3) => "with FR label range",
        (22, 1) => "Hello Request",
        (22, 2) => "Hello Ack",
        (24, 1) => "Message id ack",
        (24, 2) => "Message id nack",
        (50, 1) => "IPv4 sub-LSP",
        (50, 2) => "IPv6 sub-LSP",
        (5 | 8 | 23 | 25 | 36 | 66 | 125 | 134 | 196 | 204 | 205 | 229, 1) => return None,
        _ => "Unknown",
    })
}

pub(super) fn error(code: u8) -> &'static str {
    match code {
        24 => "Routing Problem",
        25 => "Notify Error",
        28 => "Diffserv TE Error",
        125 => "Diffserv TE Error (Old)",
        _ => "unknown",
    }
}

/// The name of an error's value; `None` for codes whose values are not known.
pub(super) fn error_value(code: u8, value: u16) -> Option<&'static str> {
    Some(match (code, value) {
        (24, 1) => "Bad EXPLICIT_ROUTE object",
        (24, 2) => "Bad strict node",
        (24, 3) => "Bad loose node",
        (24, 4) => "Bad initial subobject",
        (24, 5) => "No route available toward destination",
        (24, 6) => "Unacceptable label value",
        (24, 7) => "RRO indicated routing loops",
        (24, 8) => "non-RSVP-capable router in the path",
        (24, 9) => "MPLS label allocation failure",
        (24, 10) => "Unsupported L3PID",
        (28 | 125, 1) => "Unexpected CT object",
        (28 | 125, 2) => "Unsupported CT",
        (28 | 125, 3) => "Invalid CT value",
        (28 | 125, 4) => "CT/setup priority do not form a configured TE-Class",
        (28 | 125, 5) => "CT/holding priority do not form a configured TE-Class",
        (28 | 125, 6) => "CT/setup priority and CT/holding priority do not form a configured TE-Class",
        (28 | 125, 7) => "Inconsistency between signaled PSC and signaled CT",
        (28 | 125, 8) => "Inconsistency between signaled PHBs and signaled CT",
        (24 | 28 | 125, _) => "unknown",
        _ => return None,
    })
}
